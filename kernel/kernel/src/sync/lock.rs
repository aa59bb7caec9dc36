// SPDX-License-Identifier: GPL-2.0-only

//! Locks that contain the value that they protect.

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

/// The kind of a lock.
///
/// # Safety
///
/// Between `lock`, or a `try_lock` that returned a state, and `unlock`, nobody else may get the
/// lock.
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
    /// The state that a guard keeps.
    type GuardState;

    /// Initialises the lock.
    ///
    /// # Safety
    ///
    /// `ptr` must be valid for writes and must not move, and `name` and `key` must live as long as
    /// the lock.
    unsafe fn init(
        ptr: *mut Self::State,
        name: *const crate::ffi::c_char,
        key: *mut crate::bindings::lock_class_key,
    );

    /// Takes the lock, and waits for it if necessary.
    ///
    /// # Safety
    ///
    /// [`Self::init`] must have initialised the lock.
    unsafe fn lock(ptr: *mut Self::State) -> Self::GuardState;

    /// Takes the lock if it is free.
    ///
    /// # Safety
    ///
    /// [`Self::init`] must have initialised the lock.
    unsafe fn try_lock(ptr: *mut Self::State) -> Option<Self::GuardState>;

    /// Releases the lock.
    ///
    /// # Safety
    ///
    /// The caller must hold the lock.
    unsafe fn unlock(ptr: *mut Self::State, guard_state: &Self::GuardState);

    /// Takes the lock again, for a guard that released it temporarily.
    ///
    /// # Safety
    ///
    /// [`Self::init`] must have initialised the lock, and `guard_state` must be from
    /// [`Self::lock`].
    #[inline]
    unsafe fn relock(ptr: *mut Self::State, guard_state: &mut Self::GuardState) {
        // SAFETY: `lock` takes a lock that `init` initialised, which this is by this function's
        // contract.
        *guard_state = unsafe { Self::lock(ptr) };
    }
}

/// A lock, and the value that only its holder can access.
///
/// [`new_mutex!`](crate::new_mutex!) and [`new_spinlock!`](crate::new_spinlock!) create one.
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

// SAFETY: the lock owns its value, and belongs to no thread itself.
unsafe impl<T: ?Sized + Send, B: Backend> Send for Lock<T, B> {}
// SAFETY: only the holder of the lock accesses the value, and may move it out, for which `T: Send`
// is needed.
unsafe impl<T: ?Sized + Send, B: Backend> Sync for Lock<T, B> {}

impl<T, B: Backend> Lock<T, B> {
    /// Returns an initialiser of a lock around the value that `t` initialises.
    pub fn new<E>(
        t: impl PinInit<T, E>,
        name: &'static CStr,
        key: Pin<&'static LockClassKey>,
    ) -> impl PinInit<Self, E> {
        let init = move |slot: *mut Self| {
            // SAFETY: the slot is valid, and this is the place of its data, which does not move.
            unsafe { t.__pinned_init(UnsafeCell::raw_get(&raw const (*slot).data))? };
            // SAFETY: `init` takes memory that is valid for writes and does not move, as the slot,
            // and a name and a key that live as long, which are static.
            unsafe {
                B::init(
                    (&raw mut (*slot).state).cast(),
                    name.as_ptr().cast(),
                    key.as_ptr(),
                )
            };
            Ok(())
        };
        // SAFETY: the closure initialises both fields. It fails only before the lock is
        // initialised, when there is no data either.
        unsafe { pin_init::pin_init_from_closure(init) }
    }
}

impl<T: ?Sized, B: Backend> Lock<T, B> {
    /// Takes the lock, and waits for it if necessary.
    ///
    /// Context: for a mutex process context, and it may sleep; for a spinlock any but NMIs,
    /// where nothing that interrupts this code takes the same lock.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T, B> {
        // SAFETY: `B::lock` takes a lock that `B::init` initialised, and every `Lock` is made by
        // the constructor, which calls that.
        let state = unsafe { B::lock(self.state.get()) };
        Guard {
            lock: self,
            state,
            _not_send: NotThreadSafe,
        }
    }

    /// Returns the address of the value.
    #[inline]
    pub(crate) fn data_ptr(&self) -> *const T {
        self.data.get()
    }

    /// Takes the lock if it is free.
    ///
    /// Context: for a mutex process context, also with a spinlock held; for a spinlock any
    /// but NMIs. It does not sleep.
    #[inline]
    pub fn try_lock(&self) -> Option<Guard<'_, T, B>> {
        // SAFETY: `B::try_lock` takes a lock that `B::init` initialised, and every `Lock` is made
        // by the constructor, which calls that.
        let state = unsafe { B::try_lock(self.state.get())? };
        Some(Guard {
            lock: self,
            state,
            _not_send: NotThreadSafe,
        })
    }
}

/// A guard of a lock, which is held as long as the guard exists.
///
/// The guard stays on its thread.
///
/// Context: that in which the lock was taken. Dropping the guard releases the lock, and does not
/// sleep.
///
/// # Examples
///
/// ```
/// use kernel::sync::{Mutex, MutexGuard};
/// fn clear(mut guard: MutexGuard<'_, u32>) {
///     *guard = 0;
/// }
/// ```
#[must_use = "the lock is released at once if the guard is not kept"]
pub struct Guard<'a, T: ?Sized, B: Backend> {
    lock: &'a Lock<T, B>,
    state: B::GuardState,
    _not_send: NotThreadSafe,
}

// SAFETY: another thread gets only `&T` by it.
unsafe impl<T: ?Sized + Sync, B: Backend> Sync for Guard<'_, T, B> {}

impl<'a, T: ?Sized, B: Backend> Guard<'a, T, B> {
    /// Releases the lock while `f` runs.
    pub(crate) fn do_unlocked<U>(&mut self, f: impl FnOnce() -> U) -> U {
        // SAFETY: the guard holds the lock. It is borrowed mutably, so nobody accesses the value by
        // it; a panic does not return here.
        unsafe { B::unlock(self.lock.state.get(), &self.state) };
        let result = f();
        // SAFETY: the constructor initialised the lock, and the guard's state is from `lock`.
        unsafe { B::relock(self.lock.state.get(), &mut self.state) };
        result
    }

    /// Returns the lock.
    #[inline]
    pub fn lock_ref(&self) -> &'a Lock<T, B> {
        self.lock
    }

    /// Returns a pinned reference to the value, which never moves.
    #[inline]
    pub fn as_mut(&mut self) -> Pin<&mut T> {
        // SAFETY: the guard holds the lock, so nobody else accesses the value, and the lock itself
        // is pinned.
        unsafe { Pin::new_unchecked(&mut *self.lock.data.get()) }
    }
}

impl<T: ?Sized, B: Backend> Deref for Guard<'_, T, B> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock, so nobody accesses the value but by this guard, which
        // is borrowed.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized + Unpin, B: Backend> DerefMut for Guard<'_, T, B> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock, so nobody accesses the value but by this guard, which
        // is borrowed mutably.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: ?Sized, B: Backend> Drop for Guard<'_, T, B> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the guard holds the lock, which nobody uses by it any more.
        unsafe { B::unlock(self.lock.state.get(), &self.state) };
    }
}
