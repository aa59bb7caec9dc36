// SPDX-License-Identifier: GPL-2.0-only

//! Locks that own what they protect.

pub mod global;
pub mod mutex;
pub mod spinlock;

use super::lock_class::LockClassKey;
use crate::types::{NotThreadSafe, Opaque};
use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::marker::PhantomPinned;
use core::ops::{Deref, DerefMut};
use core::pin::Pin;
use pin_init::PinInit;

/// A kind of lock.
///
/// # Safety
///
/// Between `lock`, or a `try_lock` that gave a state, and `unlock`, nobody else
/// gets the lock.
///
/// # Examples
///
/// ```
/// use kernel::sync::lock::{Backend, Lock};
/// fn locked<B: Backend>(lock: &Lock<u32, B>) -> u32 {
///     *lock.lock()
/// }
/// ```
pub unsafe trait Backend {
    /// The kernel's lock.
    type State;
    /// What a guard must remember.
    type GuardState;

    /// Makes the lock.
    ///
    /// # Safety
    ///
    /// `ptr` is valid for writes and stays where it is; name and key live as
    /// long as the lock.
    unsafe fn init(
        ptr: *mut Self::State,
        name: *const crate::ffi::c_char,
        key: *mut crate::bindings::lock_class_key,
    );

    /// Takes the lock.
    ///
    /// # Safety
    ///
    /// It was made with [`Self::init`].
    unsafe fn lock(ptr: *mut Self::State) -> Self::GuardState;

    /// Takes the lock if it is free.
    ///
    /// # Safety
    ///
    /// It was made with [`Self::init`].
    unsafe fn try_lock(ptr: *mut Self::State) -> Option<Self::GuardState>;

    /// Gives the lock back.
    ///
    /// # Safety
    ///
    /// The caller holds it.
    unsafe fn unlock(ptr: *mut Self::State, guard_state: &Self::GuardState);

    /// Takes the lock again for a guard that gave it back meanwhile.
    ///
    /// # Safety
    ///
    /// It was made with [`Self::init`], and the state is from [`Self::lock`].
    #[inline]
    unsafe fn relock(ptr: *mut Self::State, guard_state: &mut Self::GuardState) {
        // SAFETY: the caller promises that the lock was made by `init`, which is all that
        // `lock` wants.
        *guard_state = unsafe { Self::lock(ptr) };
    }
}

/// A lock and the value that only its holder reaches.
///
/// Made by [`new_mutex!`](crate::new_mutex!) and [`new_spinlock!`](crate::new_spinlock!).
///
/// # Examples
///
/// ```
/// use kernel::sync::Mutex;
/// fn next(counter: &Mutex<u32>) -> u32 {
///     let mut n = counter.lock();
///     *n += 1;
///     *n
/// }
/// ```
#[repr(C)]
pub struct Lock<T: ?Sized, B: Backend> {
    state: Opaque<B::State>,
    _pin: PhantomPinned,
    data: UnsafeCell<T>,
}

// SAFETY: whoever has the lock can take the value out.
unsafe impl<T: ?Sized + Send, B: Backend> Send for Lock<T, B> {}
// SAFETY: one thread at a time gets at the value.
unsafe impl<T: ?Sized + Send, B: Backend> Sync for Lock<T, B> {}

impl<T, B: Backend> Lock<T, B> {
    /// Makes a lock around what `t` initialises.
    pub fn new<E>(
        t: impl PinInit<T, E>,
        name: &'static CStr,
        key: Pin<&'static LockClassKey>,
    ) -> impl PinInit<Self, E> {
        let init = move |slot: *mut Self| {
            // SAFETY: the slot is valid; this is its data, which stays there.
            unsafe { t.__pinned_init(UnsafeCell::raw_get(&raw const (*slot).data))? };
            // SAFETY: the slot is valid and stays where it is; the name and the
            // key are static.
            unsafe {
                B::init(
                    (&raw mut (*slot).state).cast(),
                    name.as_ptr().cast(),
                    key.as_ptr(),
                )
            };
            Ok(())
        };
        // SAFETY: the closure initialises both fields; it fails before the lock
        // is made, with the data gone.
        unsafe { pin_init::pin_init_from_closure(init) }
    }
}

impl<T: ?Sized, B: Backend> Lock<T, B> {
    /// Takes the lock; waits for it.
    ///
    /// Context: for a mutex process context, and it may sleep; for a spinlock any but NMIs,
    /// where nothing that interrupts this code takes the same lock.
    pub fn lock(&self) -> Guard<'_, T, B> {
        // SAFETY: there is no `Lock` but by the constructor, which made it by `B::init`.
        let state = unsafe { B::lock(self.state.get()) };
        Guard {
            lock: self,
            state,
            _not_send: NotThreadSafe,
        }
    }

    /// Where the value is.
    #[inline]
    pub(crate) fn data_ptr(&self) -> *const T {
        self.data.get()
    }

    /// Takes the lock if it is free.
    ///
    /// Context: for a mutex process context, also with a spinlock held; for a spinlock any
    /// but NMIs. It does not sleep.
    pub fn try_lock(&self) -> Option<Guard<'_, T, B>> {
        // SAFETY: there is no `Lock` but by the constructor, which made it by `B::init`.
        let state = unsafe { B::try_lock(self.state.get())? };
        Some(Guard {
            lock: self,
            state,
            _not_send: NotThreadSafe,
        })
    }
}

/// The lock is held as long as this lives; it stays on its thread.
///
/// Context: dropping it gives the lock back, in the context that it was taken in. It does
/// not sleep.
///
/// # Examples
///
/// ```
/// use kernel::sync::{Mutex, MutexGuard};
/// fn clear(mut guard: MutexGuard<'_, u32>) {
///     *guard = 0;
/// }
/// ```
#[must_use = "the lock is given back at once when the guard is not kept"]
pub struct Guard<'a, T: ?Sized, B: Backend> {
    lock: &'a Lock<T, B>,
    state: B::GuardState,
    _not_send: NotThreadSafe,
}

// SAFETY: another thread gets `&T` only.
unsafe impl<T: ?Sized + Sync, B: Backend> Sync for Guard<'_, T, B> {}

impl<T: ?Sized, B: Backend> Guard<'_, T, B> {
    /// Gives the lock back while `f` runs.
    pub(crate) fn do_unlocked<U>(&mut self, f: impl FnOnce() -> U) -> U {
        // SAFETY: the guard holds the lock. It is borrowed, so that nobody reaches
        // the value by it; a panic does not come back.
        unsafe { B::unlock(self.lock.state.get(), &self.state) };
        let result = f();
        // SAFETY: the constructor made the lock, and the state is from `lock`, as the guard's.
        unsafe { B::relock(self.lock.state.get(), &mut self.state) };
        result
    }

    /// The value as a pinned reference: a lock's value never moves.
    #[inline]
    pub fn as_mut(&mut self) -> Pin<&mut T> {
        // SAFETY: the lock is held, and is pinned itself.
        unsafe { Pin::new_unchecked(&mut *self.lock.data.get()) }
    }
}

impl<T: ?Sized, B: Backend> Deref for Guard<'_, T, B> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock, so nobody else reaches the value but by this
        // guard, which is borrowed.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized + Unpin, B: Backend> DerefMut for Guard<'_, T, B> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock, so nobody else reaches the value but by this
        // guard, which is borrowed mutably.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: ?Sized, B: Backend> Drop for Guard<'_, T, B> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the guard holds the lock.
        unsafe { B::unlock(self.lock.state.get(), &self.state) };
    }
}
