// SPDX-License-Identifier: GPL-2.0-only

//! Spinlocks: the kernel's spinning lock.

use super::Backend;
use crate::bindings;
use crate::layout;

/// Creates an initialiser of a [`SpinLock`] around a value, with a lock class of its own.
///
/// The name is optional, and defaults to the place in the source.
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

/// A spinlock: a lock whose waiters spin, and whose holder must not sleep.
///
/// Context: any but NMIs. Interrupts stay enabled while the lock is held, so a lock that an
/// interrupt handler takes as well must not be taken by this type.
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

/// The guard of a [`SpinLock`].
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

/// The kind of a lock that is the kernel's `spinlock_t`.
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

// SAFETY: these are the kernel's own functions, on memory of the size and alignment of a spinlock.
unsafe impl Backend for SpinLockBackend {
    type State = State;
    type GuardState = ();

    #[inline]
    unsafe fn init(
        ptr: *mut State,
        name: *const crate::ffi::c_char,
        key: *mut bindings::lock_class_key,
    ) {
        // SAFETY: the function takes memory for a spinlock that is valid for writes and does not
        // move, and a name and a key that live as long. `State` has the size and alignment, and the
        // rest is the trait's contract.
        unsafe { bindings::koru_spin_init(State::object(ptr), name, key) }
    }

    #[inline]
    unsafe fn lock(ptr: *mut State) {
        // SAFETY: `spin_lock()` takes an initialised spinlock, which this is by the trait's
        // contract. Taking it twice is a deadlock, but not undefined behaviour.
        unsafe { bindings::koru_spin_lock(State::object(ptr)) }
    }

    #[inline]
    unsafe fn try_lock(ptr: *mut State) -> Option<()> {
        // SAFETY: `spin_trylock()` takes an initialised spinlock, which this is by the trait's
        // contract.
        (unsafe { bindings::koru_spin_trylock(State::object(ptr)) } != 0).then_some(())
    }

    #[inline]
    unsafe fn unlock(ptr: *mut State, _: &()) {
        // SAFETY: `spin_unlock()` requires that this processor holds the lock: so does the trait's
        // contract, and a guard cannot be sent to another thread.
        unsafe { bindings::koru_spin_unlock(State::object(ptr)) }
    }
}
