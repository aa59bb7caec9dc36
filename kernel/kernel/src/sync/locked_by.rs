// SPDX-License-Identifier: GPL-2.0-only

//! Data that a lock in another object protects.

use super::lock::{Backend, Lock};
use crate::build_assert;
use core::cell::UnsafeCell;
use core::ptr;

/// A value that can be accessed only with access to what another object's lock protects.
///
/// So one lock protects fields of many objects.
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

// SAFETY: it owns a `T`; the address of the owner is only compared.
unsafe impl<T: ?Sized + Send, U: ?Sized> Send for LockedBy<T, U> {}
// SAFETY: a shared reference gives access to the value as `&mut T` to one thread at a time, for
// which `T: Send` is enough, or as `&T`, for which `access` requires `T: Sync`.
unsafe impl<T: ?Sized + Send, U: ?Sized> Sync for LockedBy<T, U> {}

impl<T, U> LockedBy<T, U> {
    /// Creates a value that `owner` protects.
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
    /// Returns a reference to the value.
    ///
    /// # Panics
    ///
    /// Panics if `owner` is not the value that the lock protects.
    pub fn access<'a>(&'a self, owner: &'a U) -> &'a T
    where
        T: Sync,
    {
        build_assert!(size_of::<U>() > 0);
        assert!(
            ptr::eq(owner, self.owner),
            "the lock does not protect this value"
        );
        // SAFETY: only `access_mut` changes the value, and takes `&mut U` of the same address.
        // `owner` is borrowed, and has a size, so nobody else has such a reference during `'a`.
        unsafe { &*self.data.get() }
    }

    /// Returns a mutable reference to the value.
    ///
    /// # Panics
    ///
    /// Panics if `owner` is not the value that the lock protects.
    pub fn access_mut<'a>(&'a self, owner: &'a mut U) -> &'a mut T {
        build_assert!(size_of::<U>() > 0);
        assert!(
            ptr::eq(owner, self.owner),
            "the lock does not protect this value"
        );
        // SAFETY: both functions take a reference to the one owner, of which `owner` is a mutable
        // one. It has a size, so nobody else has another reference of that address during `'a`.
        unsafe { &mut *self.data.get() }
    }
}
