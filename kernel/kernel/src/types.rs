// SPDX-License-Identifier: GPL-2.0-only

//! Types that the others are made of.

use crate::ffi::c_void;
use core::cell::UnsafeCell;
use core::marker::{PhantomData, PhantomPinned};
use core::mem::MaybeUninit;
use core::ops::{Deref, DerefMut};
use pin_init::{PinInit, Zeroable};

/// Values that C code can hold as a `void *`.
///
/// # Safety
///
/// What `into_foreign` returns is aligned to `FOREIGN_ALIGN`.
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
    /// What the pointer is aligned to.
    const FOREIGN_ALIGN: usize;
    /// A shared borrow of the value.
    type Borrowed<'a>;
    /// An exclusive borrow of the value.
    type BorrowedMut<'a>;

    /// Gives the value to C.
    fn into_foreign(self) -> *mut c_void;

    /// Takes the value back.
    ///
    /// # Safety
    ///
    /// `ptr` comes from [`Self::into_foreign`], was not taken back, and is not
    /// borrowed.
    unsafe fn from_foreign(ptr: *mut c_void) -> Self;

    /// As [`Self::from_foreign`], `None` for null.
    ///
    /// # Safety
    ///
    /// `ptr` is null or as [`Self::from_foreign`] asks.
    unsafe fn try_from_foreign(ptr: *mut c_void) -> Option<Self> {
        if ptr.is_null() {
            return None;
        }
        // SAFETY: it is not null, so it is from `into_foreign` and taken back once, as the
        // caller promises.
        Some(unsafe { Self::from_foreign(ptr) })
    }

    /// Borrows the value.
    ///
    /// # Safety
    ///
    /// `ptr` comes from [`Self::into_foreign`], and for `'a` is neither taken
    /// back nor borrowed mutably.
    unsafe fn borrow<'a>(ptr: *mut c_void) -> Self::Borrowed<'a>;

    /// Borrows the value mutably.
    ///
    /// # Safety
    ///
    /// `ptr` comes from [`Self::into_foreign`], and for `'a` is neither taken
    /// back nor borrowed otherwise.
    unsafe fn borrow_mut<'a>(ptr: *mut c_void) -> Self::BorrowedMut<'a>;
}

// SAFETY: a dangling pointer is aligned to 1.
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

/// Runs a function when the scope is left, unless it is dismissed.
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
    /// A guard without data.
    #[allow(clippy::new_ret_no_self, reason = "it is upstream's signature")]
    #[inline]
    pub fn new(cleanup: impl FnOnce()) -> ScopeGuard<(), impl FnOnce(())> {
        ScopeGuard::new_with_data((), move |()| cleanup())
    }
}

impl<T, F: FnOnce(T)> ScopeGuard<T, F> {
    /// A guard that owns `data` and gives it to the function.
    #[inline]
    pub fn new_with_data(data: T, cleanup_func: F) -> Self {
        Self(Some((data, cleanup_func)))
    }

    /// Gives the data back; the function does not run.
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

/// Memory that C code reads and writes as it likes, of which Rust assumes
/// nothing.
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

// SAFETY: uninitialised memory may be anything.
unsafe impl<T> Zeroable for Opaque<T> {}

impl<T> Opaque<T> {
    /// With a value.
    pub const fn new(value: T) -> Self {
        Self {
            value: UnsafeCell::new(MaybeUninit::new(value)),
            _pin: PhantomPinned,
        }
    }

    /// Without one.
    pub const fn uninit() -> Self {
        Self {
            value: UnsafeCell::new(MaybeUninit::uninit()),
            _pin: PhantomPinned,
        }
    }

    /// Its address.
    #[inline]
    pub const fn get(&self) -> *mut T {
        UnsafeCell::get(&self.value).cast()
    }

    /// Lets `init_func` initialise it in place.
    pub fn ffi_init(init_func: impl FnOnce(*mut T)) -> impl PinInit<Self> {
        // SAFETY: an `Opaque` is valid in every state, so the slot holds a value whatever
        // `init_func` wrote; it cannot fail.
        unsafe {
            pin_init::pin_init_from_closure(|slot: *mut Self| {
                init_func(slot.cast());
                Ok(())
            })
        }
    }
}

/// Makes the type around it stay on its thread.
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
