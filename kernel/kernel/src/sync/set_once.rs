// SPDX-License-Identifier: GPL-2.0-only

//! Values that are set at most once.

use super::atomic::{Acquire, Atomic, Relaxed, Release};
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

/// There is no value.
const EMPTY: u32 = 0;
/// One caller is about to write the value.
const WRITING: u32 = 1;
/// There is a value, which stays.
const SET: u32 = 2;

/// A value that is set at most once, and can be read from then on.
///
/// # Invariants
///
/// The state is `WRITING` while one caller of [`Self::populate`] writes the value. Once it is
/// `SET`, the value is initialised, and only borrowed.
///
/// # Examples
///
/// ```
/// use kernel::sync::SetOnce;
///
/// static LIMIT: SetOnce<u32> = SetOnce::new();
///
/// fn configure(limit: u32) -> bool {
///     LIMIT.populate(limit)
/// }
///
/// fn limit() -> u32 {
///     LIMIT.copy().unwrap_or(10)
/// }
/// ```
pub struct SetOnce<T> {
    state: Atomic<u32>,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: the value moves with its owner, for which `T: Send` is needed.
unsafe impl<T: Send> Send for SetOnce<T> {}
// SAFETY: another thread that gets a reference may move a value in, for which `T: Send` is needed,
// and gets `&T` by it, for which `T: Sync` is needed. Only one thread writes the value, before
// others can read it.
unsafe impl<T: Send + Sync> Sync for SetOnce<T> {}

impl<T> Default for SetOnce<T> {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl<T> SetOnce<T> {
    /// Creates one without a value.
    #[inline]
    pub const fn new() -> Self {
        // INVARIANT: nobody writes the value, and there is none.
        Self {
            state: Atomic::new(EMPTY),
            value: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// Returns the value, or `None` if it is not set.
    ///
    /// Context: any.
    #[inline]
    pub fn as_ref(&self) -> Option<&T> {
        if self.state.load(Acquire) != SET {
            return None;
        }
        // SAFETY: by the type's invariant the value is initialised and only borrowed from now on.
        // The load is ordered after the write, by the `Release` of `populate`.
        Some(unsafe { (*self.value.get()).assume_init_ref() })
    }

    /// Sets the value if nobody has set it; returns whether this call did.
    ///
    /// A value that is not taken is dropped.
    ///
    /// Context: any, if the value may be dropped there.
    pub fn populate(&self, value: T) -> bool {
        if self.state.cmpxchg(EMPTY, WRITING, Relaxed).is_err() {
            return false;
        }
        // SAFETY: the state was `EMPTY` and never is again, so this is the only caller that comes
        // here, and by the type's invariant nobody reads the value yet.
        unsafe { (*self.value.get()).write(value) };
        // INVARIANT: the value was just written.
        self.state.store(SET, Release);
        true
    }

    /// Returns a copy of the value, or `None` if it is not set.
    ///
    /// Context: any.
    #[inline]
    pub fn copy(&self) -> Option<T>
    where
        T: Copy,
    {
        self.as_ref().copied()
    }
}

impl<T> Drop for SetOnce<T> {
    fn drop(&mut self) {
        if *self.state.get_mut() == SET {
            // SAFETY: by the type's invariant the value is initialised; nobody borrows it, because
            // `self` is borrowed mutably, and it is not used again.
            unsafe { self.value.get_mut().assume_init_drop() };
        }
    }
}
