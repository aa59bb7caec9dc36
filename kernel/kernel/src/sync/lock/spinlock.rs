// SPDX-License-Identifier: GPL-2.0-only

//! The kernel's spinning lock.

use super::Backend;
use crate::bindings;
use crate::layout;

/// Makes a [`SpinLock`] around a value, with a lock class of its own.
///
/// A name may follow; without one it is the place in the source.
///
/// # Examples
///
/// ```
/// use kernel::{new_spinlock, prelude::*, sync::SpinLock};
/// fn make() -> Result<Pin<KBox<SpinLock<u32>>>> {
///     KBox::pin_init(new_spinlock!(5, "example"), GFP_KERNEL)
/// }
/// ```
#[macro_export]
macro_rules! new_spinlock {
    ($inner:expr $(, $name:literal)? $(,)?) => {
        $crate::sync::SpinLock::new(
            $inner, $crate::optional_name!($($name)?), $crate::static_lock_class!())
    };
}

/// A lock whose waiters spin: the holder must not sleep. Interrupts stay on, so it
/// must not be shared with an interrupt handler.
///
/// Context: any but NMIs. While it is held nothing may sleep. Interrupts stay on, so what
/// an interrupt takes as well must not be taken by it here.
///
/// # Examples
///
/// ```
/// use kernel::sync::SpinLock;
/// fn add(total: &SpinLock<u64>, n: u64) {
///     *total.lock() += n;
/// }
/// ```
pub type SpinLock<T> = super::Lock<T, SpinLockBackend>;

/// What [`SpinLock::lock`](super::Lock::lock) returns.
///
/// # Examples
///
/// ```
/// use kernel::sync::{SpinLock, SpinLockGuard};
/// fn take(lock: &SpinLock<u32>) -> SpinLockGuard<'_, u32> {
///     lock.lock()
/// }
/// ```
pub type SpinLockGuard<'a, T> = super::Guard<'a, T, SpinLockBackend>;

/// The kernel's `spinlock_t`.
///
/// # Examples
///
/// ```
/// use kernel::sync::lock::{spinlock::SpinLockBackend, Lock};
/// fn add(total: &Lock<u64, SpinLockBackend>, n: u64) {
///     *total.lock() += n;
/// }
/// ```
pub struct SpinLockBackend;

#[doc(hidden)]
#[repr(transparent)]
pub struct State(#[allow(dead_code, reason = "only C reads it")] layout::SpinLock);

impl State {
    #[inline]
    fn object(this: *mut Self) -> *mut bindings::spinlock {
        layout::SpinLock::object(this.cast())
    }
}

// SAFETY: these are the kernel's own functions, on memory of the lock's size and
// alignment.
unsafe impl Backend for SpinLockBackend {
    type State = State;
    type GuardState = ();

    #[inline]
    unsafe fn init(
        ptr: *mut State,
        name: *const crate::ffi::c_char,
        key: *mut bindings::lock_class_key,
    ) {
        // SAFETY: the function wants memory for a `spinlock` that is valid for writes and stays
        // where it is, and a name and a key that live as long: `State` has its size and
        // alignment, and the caller promises the rest.
        unsafe { bindings::koru_spin_init(State::object(ptr), name, key) }
    }

    #[inline]
    unsafe fn lock(ptr: *mut State) {
        // SAFETY: `spin_lock()` wants a spinlock that was made, which is what the caller
        // promises of `init`. Taking it twice is a deadlock, and no undefined behaviour.
        unsafe { bindings::koru_spin_lock(State::object(ptr)) }
    }

    #[inline]
    unsafe fn try_lock(ptr: *mut State) -> Option<()> {
        // SAFETY: the function wants a spinlock that was made, which is what the caller
        // promises of `init`.
        (unsafe { bindings::koru_spin_trylock(State::object(ptr)) } != 0).then_some(())
    }

    #[inline]
    unsafe fn unlock(ptr: *mut State, _: &()) {
        // SAFETY: `spin_unlock()` wants that this processor holds the lock: the caller promises
        // that, and a guard cannot be sent to another thread.
        unsafe { bindings::koru_spin_unlock(State::object(ptr)) }
    }
}
