// SPDX-License-Identifier: GPL-2.0-only

//! Data that a lock elsewhere protects.

use super::lock::{Backend, Lock};
use crate::build_assert;
use core::cell::UnsafeCell;
use core::ptr;

/// A value that is reached only with what another object's lock protects in hand:
/// one lock for the fields of many.
///
/// # Examples
///
/// ```
/// use kernel::sync::{LockedBy, Mutex};
///
/// struct Totals {
///     bytes: u64,
/// }
///
/// /// One of many files, all under one lock.
/// struct File {
///     bytes: LockedBy<u64, Totals>,
/// }
///
/// fn add(all: &Mutex<Totals>, file: &File, n: u64) {
///     let mut totals = all.lock();
///     *file.bytes.access_mut(&mut totals) += n;
///     totals.bytes += n;
/// }
///
/// fn file(all: &Mutex<Totals>) -> File {
///     File { bytes: LockedBy::new(all, 0) }
/// }
/// ```
pub struct LockedBy<T: ?Sized, U: ?Sized> {
    owner: *const U,
    data: UnsafeCell<T>,
}

// SAFETY: it owns a `T`; the owner's address is only compared.
unsafe impl<T: ?Sized + Send, U: ?Sized> Send for LockedBy<T, U> {}
// SAFETY: by a shared reference the value is reached as `&mut T` by one thread at a time,
// for which `T: Send` is enough, or as `&T`, for which `access` asks for `T: Sync`.
unsafe impl<T: ?Sized + Send, U: ?Sized> Sync for LockedBy<T, U> {}

impl<T, U> LockedBy<T, U> {
    /// Makes a value that `owner` protects.
    pub fn new<B: Backend>(owner: &Lock<U, B>, data: T) -> Self {
        build_assert!(
            size_of::<U>() > 0,
            "values without a size have no address of their own"
        );
        Self {
            owner: owner.data_ptr(),
            data: UnsafeCell::new(data),
        }
    }
}

impl<T: ?Sized, U> LockedBy<T, U> {
    /// The value, to be read.
    ///
    /// # Panics
    ///
    /// If `owner` is not what the lock protects.
    pub fn access<'a>(&'a self, owner: &'a U) -> &'a T
    where
        T: Sync,
    {
        build_assert!(size_of::<U>() > 0);
        assert!(ptr::eq(owner, self.owner), "the wrong owner");
        // SAFETY: the value is changed by `access_mut` only, which wants `&mut U` of the same
        // address. `owner` is borrowed, and has a size, so nobody else has that for `'a`.
        unsafe { &*self.data.get() }
    }

    /// The value, to be changed.
    ///
    /// # Panics
    ///
    /// If `owner` is not what the lock protects.
    pub fn access_mut<'a>(&'a self, owner: &'a mut U) -> &'a mut T {
        build_assert!(size_of::<U>() > 0);
        assert!(ptr::eq(owner, self.owner), "the wrong owner");
        // SAFETY: both functions want a reference to the one owner, of which `owner` is a
        // mutable one: as it has a size, nobody else has another of that address for `'a`.
        unsafe { &mut *self.data.get() }
    }
}
