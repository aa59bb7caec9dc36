// SPDX-License-Identifier: GPL-2.0-only

//! Mutexes: the kernel's sleeping lock.

use super::Backend;
use crate::bindings;
use crate::layout;

/// Creates an initialiser of a [`Mutex`] around a value, with a lock class of its own.
///
/// The name is optional, and defaults to the place in the source.
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

/// A mutex: a lock whose waiters sleep, and whose holder may sleep too.
///
/// Context: process context. Taking it may sleep, so it must not be taken in an interrupt, in a
/// probe's handler, or with a spinlock held.
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

/// The guard of a [`Mutex`].
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

/// The kind of a lock that is the kernel's `struct mutex`.
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

// SAFETY: these are the kernel's own functions, on memory of the size and alignment of a mutex.
unsafe impl Backend for MutexBackend {
    type State = State;
    type GuardState = ();

    #[inline]
    unsafe fn init(
        ptr: *mut State,
        name: *const crate::ffi::c_char,
        key: *mut bindings::lock_class_key,
    ) {
        // SAFETY: the function takes memory for a mutex that is valid for writes and does not move,
        // and a name and a key that live as long. `State` has the size and alignment, and the rest
        // is the trait's contract.
        unsafe { bindings::koru_mutex_init(State::object(ptr), name, key) }
    }

    #[inline]
    unsafe fn lock(ptr: *mut State) {
        // SAFETY: `mutex_lock()` takes an initialised mutex, which this is by the trait's contract.
        // Taking it twice is a deadlock, but not undefined behaviour.
        unsafe { bindings::koru_mutex_lock(State::object(ptr)) }
    }

    #[inline]
    unsafe fn try_lock(ptr: *mut State) -> Option<()> {
        // SAFETY: `mutex_trylock()` takes an initialised mutex, which this is by the trait's
        // contract.
        (unsafe { bindings::koru_mutex_trylock(State::object(ptr)) } != 0).then_some(())
    }

    #[inline]
    unsafe fn unlock(ptr: *mut State, _: &()) {
        // SAFETY: `mutex_unlock()` requires that the calling task holds the mutex: so does the
        // trait's contract, and a guard cannot be sent to another task.
        unsafe { bindings::koru_mutex_unlock(State::object(ptr)) }
    }
}
