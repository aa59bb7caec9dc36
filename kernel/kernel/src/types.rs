// SPDX-License-Identifier: GPL-2.0-only

//! Basic types that other abstractions use.

use crate::ffi::c_void;
use core::cell::UnsafeCell;
use core::marker::{PhantomData, PhantomPinned};
use core::mem::MaybeUninit;
use core::ops::{Deref, DerefMut};
use pin_init::{PinInit, Zeroable};

/// An owning type whose value C code can hold as a `void *`.
///
/// # Safety
///
/// `into_foreign` must return a pointer that is aligned to `FOREIGN_ALIGN`.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, types::ForeignOwnable};
/// fn round_trip(b: KBox<u32>) -> KBox<u32> {
///     let ptr = b.into_foreign();
///     // SAFETY: it was just made, and is used once.
///     unsafe { KBox::from_foreign(ptr) }
/// }
/// ```
pub unsafe trait ForeignOwnable: Sized {
    /// The alignment of the pointers that [`Self::into_foreign`] returns.
    const FOREIGN_ALIGN: usize;
    /// A shared borrow of the value.
    type Borrowed<'a>;
    /// An exclusive borrow of the value.
    type BorrowedMut<'a>;

    /// Converts the value to a pointer for C, which then owns it.
    fn into_foreign(self) -> *mut c_void;

    /// Converts a pointer back to the value.
    ///
    /// # Safety
    ///
    /// `ptr` must come from [`Self::into_foreign`], must not have been converted back already, and
    /// must not be borrowed.
    unsafe fn from_foreign(ptr: *mut c_void) -> Self;

    /// Converts a pointer back to the value, or returns `None` if it is null.
    ///
    /// # Safety
    ///
    /// `ptr` must be null or meet the requirements of [`Self::from_foreign`].
    unsafe fn try_from_foreign(ptr: *mut c_void) -> Option<Self> {
        if ptr.is_null() {
            return None;
        }
        // SAFETY: the pointer is not null, so by this function's contract it meets the requirements
        // of `from_foreign`.
        Some(unsafe { Self::from_foreign(ptr) })
    }

    /// Borrows the value.
    ///
    /// # Safety
    ///
    /// `ptr` must come from [`Self::into_foreign`], and must be neither converted back nor borrowed
    /// mutably during `'a`.
    unsafe fn borrow<'a>(ptr: *mut c_void) -> Self::Borrowed<'a>;

    /// Borrows the value mutably.
    ///
    /// # Safety
    ///
    /// `ptr` must come from [`Self::into_foreign`], and must be neither converted back nor borrowed
    /// otherwise during `'a`.
    unsafe fn borrow_mut<'a>(ptr: *mut c_void) -> Self::BorrowedMut<'a>;
}

// SAFETY: a dangling pointer of type `*mut ()` is aligned to 1.
unsafe impl ForeignOwnable for () {
    const FOREIGN_ALIGN: usize = 1;
    type Borrowed<'a> = ();
    type BorrowedMut<'a> = ();

    #[inline]
    fn into_foreign(self) -> *mut c_void {
        core::ptr::NonNull::dangling().as_ptr()
    }

    unsafe fn from_foreign(_: *mut c_void) -> Self {}
    unsafe fn borrow<'a>(_: *mut c_void) -> Self::Borrowed<'a> {}
    unsafe fn borrow_mut<'a>(_: *mut c_void) -> Self::BorrowedMut<'a> {}
}

/// A guard that runs a function at the end of its scope unless it is dismissed.
///
/// # Examples
///
/// ```
/// use kernel::types::ScopeGuard;
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// let guard = ScopeGuard::new(|| kernel::pr_info!("left early\n"));
/// // ... what may return early ...
/// guard.dismiss();
/// # }
/// ```
pub struct ScopeGuard<T, F: FnOnce(T)>(Option<(T, F)>);

impl ScopeGuard<(), fn(())> {
    /// Creates a guard without data.
    #[allow(clippy::new_ret_no_self, reason = "it is upstream's signature")]
    #[inline]
    pub fn new(cleanup: impl FnOnce()) -> ScopeGuard<(), impl FnOnce(())> {
        ScopeGuard::new_with_data((), move |()| cleanup())
    }
}

impl<T, F: FnOnce(T)> ScopeGuard<T, F> {
    /// Creates a guard that owns `data` and passes it to the function.
    #[inline]
    pub fn new_with_data(data: T, cleanup_func: F) -> Self {
        Self(Some((data, cleanup_func)))
    }

    /// Returns the data without running the function.
    pub fn dismiss(mut self) -> T {
        match self.0.take() {
            Some((data, _)) => data,
            None => unreachable!(),
        }
    }
}

impl<T, F: FnOnce(T)> Deref for ScopeGuard<T, F> {
    type Target = T;
    fn deref(&self) -> &T {
        match &self.0 {
            Some((data, _)) => data,
            None => unreachable!(),
        }
    }
}

impl<T, F: FnOnce(T)> DerefMut for ScopeGuard<T, F> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.0 {
            Some((data, _)) => data,
            None => unreachable!(),
        }
    }
}

impl<T, F: FnOnce(T)> Drop for ScopeGuard<T, F> {
    fn drop(&mut self) {
        if let Some((data, cleanup)) = self.0.take() {
            cleanup(data);
        }
    }
}

/// Memory that C code may read and write at any time, and about which Rust assumes nothing.
///
/// # Examples
///
/// ```
/// use kernel::types::Opaque;
/// let place: Opaque<u64> = Opaque::uninit();
/// let ptr: *mut u64 = place.get();
/// # let _ = ptr;
/// ```
#[repr(transparent)]
pub struct Opaque<T> {
    value: UnsafeCell<MaybeUninit<T>>,
    _pin: PhantomPinned,
}

// SAFETY: uninitialised memory may have any content.
unsafe impl<T> Zeroable for Opaque<T> {}

impl<T> Opaque<T> {
    /// Creates one that contains `value`.
    pub const fn new(value: T) -> Self {
        Self {
            value: UnsafeCell::new(MaybeUninit::new(value)),
            _pin: PhantomPinned,
        }
    }

    /// Creates one that is uninitialised.
    pub const fn uninit() -> Self {
        Self {
            value: UnsafeCell::new(MaybeUninit::uninit()),
            _pin: PhantomPinned,
        }
    }

    /// Creates one whose bytes are all zero.
    #[inline]
    pub const fn zeroed() -> Self {
        Self {
            value: UnsafeCell::new(MaybeUninit::zeroed()),
            _pin: PhantomPinned,
        }
    }

    /// Returns the address of the content of the one at an address.
    #[inline]
    pub const fn cast_into(this: *const Self) -> *mut T {
        UnsafeCell::raw_get(this.cast::<UnsafeCell<MaybeUninit<T>>>()).cast()
    }

    /// Returns the address of the one whose content is at an address.
    #[inline]
    pub const fn cast_from(this: *const T) -> *const Self {
        this.cast()
    }

    /// Returns the address of the content.
    #[inline]
    pub const fn get(&self) -> *mut T {
        UnsafeCell::get(&self.value).cast()
    }

    /// Returns an initialiser that calls `init_func` with the address of the memory, and that fails
    /// if the call does.
    pub fn try_ffi_init<E>(
        init_func: impl FnOnce(*mut T) -> Result<(), E>,
    ) -> impl PinInit<Self, E> {
        // SAFETY: an `Opaque` is valid in every state, so the slot holds a value whatever
        // `init_func` wrote. Dropping it does nothing, so an error leaves nothing behind.
        unsafe { pin_init::pin_init_from_closure(|slot: *mut Self| init_func(slot.cast())) }
    }

    /// Returns an initialiser that calls `init_func` with the address of the memory.
    pub fn ffi_init(init_func: impl FnOnce(*mut T)) -> impl PinInit<Self> {
        // SAFETY: an `Opaque` is valid in every state, so the slot holds a value whatever
        // `init_func` wrote; the closure cannot fail.
        unsafe {
            pin_init::pin_init_from_closure(|slot: *mut Self| {
                init_func(slot.cast());
                Ok(())
            })
        }
    }
}

/// Keeps the type that contains it on its thread: neither `Send` nor `Sync`.
///
/// # Examples
///
/// ```
/// use kernel::types::NotThreadSafe;
/// struct OnlyHere(NotThreadSafe);
/// let here = OnlyHere(NotThreadSafe);
/// # let _ = here;
/// ```
pub type NotThreadSafe = PhantomData<*mut ()>;

/// The value of [`NotThreadSafe`](type@NotThreadSafe).
#[allow(non_upper_case_globals, reason = "it is used as the type is")]
pub const NotThreadSafe: NotThreadSafe = PhantomData;
