// SPDX-License-Identifier: GPL-2.0-only

//! The kernel's sleeping lock.

use super::Backend;
use crate::bindings;
use crate::layout;

/// Makes a [`Mutex`] around a value, with a lock class of its own.
///
/// A name may follow; without one it is the place in the source.
///
/// # Examples
///
/// ```
/// use kernel::{new_mutex, prelude::*, sync::Mutex};
/// fn make() -> Result<Pin<KBox<Mutex<u32>>>> {
///     KBox::pin_init(new_mutex!(5, "example"), GFP_KERNEL)
/// }
/// ```
#[macro_export]
macro_rules! new_mutex {
    ($inner:expr $(, $name:literal)? $(,)?) => {
        $crate::sync::Mutex::new(
            $inner, $crate::optional_name!($($name)?), $crate::static_lock_class!())
    };
}

/// A lock whose waiters sleep: not for interrupts, and the holder may sleep too.
///
/// Context: process context. Taking it may sleep, so not in an interrupt, in a probe's
/// handler, or while a spinlock is held.
///
/// # Examples
///
/// ```
/// use kernel::sync::Mutex;
/// fn add(total: &Mutex<u64>, n: u64) {
///     *total.lock() += n;
/// }
/// ```
pub type Mutex<T> = super::Lock<T, MutexBackend>;

/// What [`Mutex::lock`](super::Lock::lock) returns.
///
/// # Examples
///
/// ```
/// use kernel::sync::{Mutex, MutexGuard};
/// fn take(lock: &Mutex<u32>) -> MutexGuard<'_, u32> {
///     lock.lock()
/// }
/// ```
pub type MutexGuard<'a, T> = super::Guard<'a, T, MutexBackend>;

/// The kernel's `struct mutex`.
///
/// # Examples
///
/// ```
/// use kernel::sync::lock::{mutex::MutexBackend, Lock};
/// fn add(total: &Lock<u64, MutexBackend>, n: u64) {
///     *total.lock() += n;
/// }
/// ```
pub struct MutexBackend;

#[doc(hidden)]
#[repr(transparent)]
pub struct State(#[allow(dead_code, reason = "only C reads it")] layout::Mutex);

impl State {
    #[inline]
    fn object(this: *mut Self) -> *mut bindings::mutex {
        layout::Mutex::object(this.cast())
    }
}

// SAFETY: these are the kernel's own functions, on memory of the lock's size and
// alignment.
unsafe impl Backend for MutexBackend {
    type State = State;
    type GuardState = ();

    #[inline]
    unsafe fn init(
        ptr: *mut State,
        name: *const crate::ffi::c_char,
        key: *mut bindings::lock_class_key,
    ) {
        // SAFETY: the function wants memory for a `mutex` that is valid for writes and stays
        // where it is, and a name and a key that live as long: `State` has its size and
        // alignment, and the caller promises the rest.
        unsafe { bindings::koru_mutex_init(State::object(ptr), name, key) }
    }

    #[inline]
    unsafe fn lock(ptr: *mut State) {
        // SAFETY: `mutex_lock()` wants a mutex that was made, which is what the caller
        // promises of `init`. Taking it twice is a deadlock, and no undefined behaviour.
        unsafe { bindings::koru_mutex_lock(State::object(ptr)) }
    }

    #[inline]
    unsafe fn try_lock(ptr: *mut State) -> Option<()> {
        // SAFETY: the function wants a mutex that was made, which is what the caller
        // promises of `init`.
        (unsafe { bindings::koru_mutex_trylock(State::object(ptr)) } != 0).then_some(())
    }

    #[inline]
    unsafe fn unlock(ptr: *mut State, _: &()) {
        // SAFETY: `mutex_unlock()` wants that the calling task holds the mutex: the caller
        // promises that, and a guard cannot be sent to another one.
        unsafe { bindings::koru_mutex_unlock(State::object(ptr)) }
    }
}
