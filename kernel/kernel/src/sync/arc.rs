// SPDX-License-Identifier: GPL-2.0-only

//! Reference-counted pointers.

use super::refcount::Refcount;
use crate::alloc::{AllocError, Flags, KBox};
use crate::ffi::c_void;
use crate::init::InPlaceInit;
use crate::types::ForeignOwnable;
use core::marker::{PhantomData, Unsize};
use core::mem::{offset_of, ManuallyDrop, MaybeUninit};
use core::ops::{CoerceUnsized, Deref, DerefMut, DispatchFromDyn};
use core::pin::Pin;
use core::ptr::NonNull;
use pin_init::{InPlaceWrite, Init, PinInit};

#[repr(C)]
struct ArcInner<T: ?Sized> {
    refcount: Refcount,
    data: T,
}

/// A reference-counted pointer to a value that is shared.
///
/// The value never moves, so it is always pinned.
///
/// Context: cloning works in any context. Dropping the last reference drops the value, and needs a
/// context in which that is allowed; the memory is freed by `kfree`, in any context but NMIs.
///
/// # Invariants
///
/// The pointer is that of a valid value in a `KBox`, and its count includes this reference.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, sync::Arc};
/// fn share() -> Result {
///     let one = Arc::new(5, GFP_KERNEL)?;
///     let two = one.clone();
///     assert!(Arc::ptr_eq(&one, &two));
///     Ok(())
/// }
/// ```
pub struct Arc<T: ?Sized> {
    ptr: NonNull<ArcInner<T>>,
    _owns: PhantomData<ArcInner<T>>,
}

// SAFETY: another thread that gets an `Arc` gets `&T` by it, for which `T: Sync` is needed, and may
// be the one that drops the value, for which `T: Send` is needed.
unsafe impl<T: ?Sized + Sync + Send> Send for Arc<T> {}
// SAFETY: another thread that gets a reference to an `Arc` gets `&T` by it, for which `T: Sync` is
// needed. By cloning it gets an `Arc`, and may be the one that drops the value, for which `T: Send`
// is needed.
unsafe impl<T: ?Sized + Sync + Send> Sync for Arc<T> {}

// Moving the pointer does not move the value.
impl<T: ?Sized> Unpin for Arc<T> {}

impl<T: ?Sized + Unsize<U>, U: ?Sized> CoerceUnsized<Arc<U>> for Arc<T> {}
impl<T: ?Sized + Unsize<U>, U: ?Sized> DispatchFromDyn<Arc<U>> for Arc<T> {}

impl<T> Arc<T> {
    /// Allocates memory, and moves `contents` into it.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory; `contents` is dropped then.
    #[inline]
    pub fn new(contents: T, flags: Flags) -> Result<Self, AllocError> {
        Ok(UniqueArc::new(contents, flags)?.into())
    }

    /// Returns the address of the value, and keeps the reference counted, for [`Self::from_raw`].
    pub fn into_raw(self) -> *const T {
        let inner = ManuallyDrop::new(self).ptr.as_ptr();
        // SAFETY: by the type's invariant the pointer is valid.
        unsafe { &raw const (*inner).data }
    }

    /// Creates an `Arc` from a pointer that [`Self::into_raw`] returned.
    ///
    /// # Safety
    ///
    /// `ptr` must come from [`Self::into_raw`], and must not have been converted back already.
    pub unsafe fn from_raw(ptr: *const T) -> Self {
        // SAFETY: by this function's contract the pointer is from `into_raw`, so the value is the
        // `data` of an `ArcInner`, which begins that much before it in the same allocation.
        let inner = unsafe { ptr.byte_sub(offset_of!(ArcInner<T>, data)) };
        Self {
            // INVARIANT: `into_raw` kept the reference that this takes over.
            // SAFETY: the pointer is that of an `ArcInner`, so it is not null.
            ptr: unsafe { NonNull::new_unchecked(inner.cast_mut().cast()) },
            _owns: PhantomData,
        }
    }
}

impl<T: ?Sized> Arc<T> {
    /// Returns whether both pointers refer to the same value.
    #[inline]
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        core::ptr::addr_eq(this.ptr.as_ptr(), other.ptr.as_ptr())
    }

    /// Borrows the value, as something that can become an [`Arc`] again.
    pub fn as_arc_borrow(&self) -> ArcBorrow<'_, T> {
        // INVARIANT: the reference of `self` stays while `self` is borrowed.
        ArcBorrow {
            inner: self.ptr,
            _p: PhantomData,
        }
    }

    /// Gives up this reference, and returns the value if it was the last one.
    ///
    /// If all owners do this, exactly one of them gets the value's memory. This never drops the
    /// value.
    ///
    /// Context: any.
    pub fn into_unique_or_drop(this: Self) -> Option<Pin<UniqueArc<T>>> {
        let this = ManuallyDrop::new(this);
        // SAFETY: by the type's invariant the value is valid.
        let refcount = unsafe { &this.ptr.as_ref().refcount };
        if !refcount.dec_and_test() {
            // The other owners may have freed the value meanwhile.
            return None;
        }
        // INVARIANT: the count is 1: nobody else has a reference, so nobody can clone one.
        refcount.set(1);
        Some(Pin::from(UniqueArc {
            inner: ManuallyDrop::into_inner(this),
        }))
    }
}

impl<T: ?Sized> Clone for Arc<T> {
    fn clone(&self) -> Self {
        // SAFETY: by the type's invariant the value is valid.
        unsafe { self.ptr.as_ref() }.refcount.inc();
        Self {
            // INVARIANT: the reference that was just added is the one of the clone.
            ptr: self.ptr,
            _owns: PhantomData,
        }
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant the value is valid.
        if unsafe { self.ptr.as_ref() }.refcount.dec_and_test() {
            // SAFETY: by the type's invariant the pointer is from a `KBox`, and this was the last
            // reference to it.
            drop(unsafe { KBox::from_raw(self.ptr.as_ptr()) });
        }
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: by the type's invariant the value is valid, and stays so while the reference is
        // borrowed.
        unsafe { &self.ptr.as_ref().data }
    }
}

impl<T: ?Sized> AsRef<T> for Arc<T> {
    #[inline]
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: ?Sized> From<UniqueArc<T>> for Arc<T> {
    #[inline]
    fn from(item: UniqueArc<T>) -> Self {
        item.inner
    }
}

impl<T: ?Sized> From<Pin<UniqueArc<T>>> for Arc<T> {
    #[inline]
    fn from(item: Pin<UniqueArc<T>>) -> Self {
        // SAFETY: the value of an `Arc` is pinned as well.
        unsafe { Pin::into_inner_unchecked(item).inner }
    }
}

impl<T> InPlaceInit<T> for Arc<T> {
    type PinnedSelf = Self;

    #[inline]
    fn try_pin_init<E>(init: impl PinInit<T, E>, flags: Flags) -> Result<Self, E>
    where
        E: From<AllocError>,
    {
        Ok(UniqueArc::try_pin_init(init, flags)?.into())
    }

    #[inline]
    fn try_init<E>(init: impl Init<T, E>, flags: Flags) -> Result<Self, E>
    where
        E: From<AllocError>,
    {
        Ok(UniqueArc::try_init(init, flags)?.into())
    }
}

// SAFETY: the pointer is that of the `ArcInner`, which has the alignment of its type.
unsafe impl<T: 'static> ForeignOwnable for Arc<T> {
    const FOREIGN_ALIGN: usize = align_of::<ArcInner<T>>();
    type Borrowed<'a> = ArcBorrow<'a, T>;
    type BorrowedMut<'a> = ArcBorrow<'a, T>;

    #[inline]
    fn into_foreign(self) -> *mut c_void {
        ManuallyDrop::new(self).ptr.as_ptr().cast()
    }

    unsafe fn from_foreign(ptr: *mut c_void) -> Self {
        Self {
            // INVARIANT: `into_foreign` kept the reference that this takes over.
            // SAFETY: by the trait's contract the pointer is from `into_foreign`, which returns
            // that of an `Arc`, so it is not null.
            ptr: unsafe { NonNull::new_unchecked(ptr.cast()) },
            _owns: PhantomData,
        }
    }

    unsafe fn borrow<'a>(ptr: *mut c_void) -> ArcBorrow<'a, T> {
        ArcBorrow {
            // INVARIANT: the reference of `into_foreign` stays during `'a`.
            // SAFETY: by the trait's contract the pointer is from `into_foreign`, which returns
            // that of an `Arc`, so it is not null.
            inner: unsafe { NonNull::new_unchecked(ptr.cast()) },
            _p: PhantomData,
        }
    }

    #[inline]
    unsafe fn borrow_mut<'a>(ptr: *mut c_void) -> ArcBorrow<'a, T> {
        // SAFETY: `borrow` requires less than this function's contract.
        unsafe { Self::borrow(ptr) }
    }
}

/// A borrowed [`Arc`], which counts nothing and can be converted to an `Arc`.
///
/// # Invariants
///
/// There is a reference to the value during `'a`.
///
/// # Examples
///
/// ```
/// use kernel::sync::{Arc, ArcBorrow};
/// fn keep(b: ArcBorrow<'_, u32>) -> Arc<u32> {
///     b.into()
/// }
/// ```
pub struct ArcBorrow<'a, T: ?Sized + 'a> {
    inner: NonNull<ArcInner<T>>,
    _p: PhantomData<&'a ()>,
}

// SAFETY: another thread gets `&T` by it, for which `T: Sync` is needed, and can create an `Arc`,
// which may be the one that drops the value, for which `T: Send` is needed.
unsafe impl<T: ?Sized + Sync + Send> Send for ArcBorrow<'_, T> {}
// SAFETY: the type is `Copy`, so a shared reference to one gives one: the conditions are those of
// `Send`.
unsafe impl<T: ?Sized + Sync + Send> Sync for ArcBorrow<'_, T> {}

impl<T> ArcBorrow<'_, T> {
    /// Borrows the value from a pointer that [`Arc::into_raw`] returned.
    ///
    /// # Safety
    ///
    /// `ptr` must come from [`Arc::into_raw`], and must not be converted back during `'a`.
    pub unsafe fn from_raw(ptr: *const T) -> Self {
        // SAFETY: `from_raw` takes a pointer from `into_raw`, which this is by this function's
        // contract. The result is not dropped, so it converts nothing back.
        let arc = ManuallyDrop::new(unsafe { Arc::from_raw(ptr) });
        Self {
            inner: arc.ptr,
            _p: PhantomData,
        }
    }
}

impl<T: ?Sized> Clone for ArcBorrow<'_, T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for ArcBorrow<'_, T> {}

impl<T: ?Sized + Unsize<U>, U: ?Sized> CoerceUnsized<ArcBorrow<'_, U>> for ArcBorrow<'_, T> {}
impl<T: ?Sized + Unsize<U>, U: ?Sized> DispatchFromDyn<ArcBorrow<'_, U>> for ArcBorrow<'_, T> {}

impl<T: ?Sized> From<ArcBorrow<'_, T>> for Arc<T> {
    fn from(b: ArcBorrow<'_, T>) -> Self {
        // INVARIANT: by the invariant of the borrow there is a reference. The `Arc` stands in for
        // it, and is never dropped.
        ManuallyDrop::new(Arc {
            ptr: b.inner,
            _owns: PhantomData,
        })
        .deref()
        .clone()
    }
}

impl<T: ?Sized> Deref for ArcBorrow<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: by the type's invariant the value is valid during `'a`.
        unsafe { &self.inner.as_ref().data }
    }
}

/// An [`Arc`] with only one owner, who may change the value.
///
/// # Invariants
///
/// The count is 1.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, sync::{Arc, UniqueArc}};
/// fn make() -> Result<Arc<u32>> {
///     let mut unique = UniqueArc::new(5, GFP_KERNEL)?;
///     *unique += 1;
///     Ok(unique.into())
/// }
/// ```
pub struct UniqueArc<T: ?Sized> {
    inner: Arc<T>,
}

impl<T> UniqueArc<T> {
    /// Allocates memory, and moves `value` into it.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory; `value` is dropped then.
    #[inline]
    pub fn new(value: T, flags: Flags) -> Result<Self, AllocError> {
        Ok(Self::new_uninit(flags)?.write(value))
    }

    /// Allocates memory for a value.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory.
    pub fn new_uninit(flags: Flags) -> Result<UniqueArc<MaybeUninit<T>>, AllocError> {
        let inner = KBox::<ArcInner<MaybeUninit<T>>>::new_uninit(flags)?;
        let ptr = KBox::into_raw(inner).cast::<ArcInner<MaybeUninit<T>>>();
        // SAFETY: the box was just made, so the address of the count is valid for writes and
        // aligned. The data is a `MaybeUninit`, which needs no value.
        unsafe { (&raw mut (*ptr).refcount).write(Refcount::new(1)) };
        Ok(UniqueArc {
            inner: Arc {
                // INVARIANT: the count was just set to 1.
                // SAFETY: the pointer of a box is never null.
                ptr: unsafe { NonNull::new_unchecked(ptr) },
                _owns: PhantomData,
            },
        })
    }
}

impl<T> UniqueArc<MaybeUninit<T>> {
    /// Moves a value into the memory.
    pub fn write(mut self, value: T) -> UniqueArc<T> {
        (*self).write(value);
        // SAFETY: the value was just written.
        unsafe { self.assume_init() }
    }

    /// Asserts that the memory holds a value.
    ///
    /// # Safety
    ///
    /// The memory must hold a valid `T`.
    pub unsafe fn assume_init(self) -> UniqueArc<T> {
        let inner = ManuallyDrop::new(self.inner).ptr;
        // INVARIANT: the count stays 1, and by this function's contract the memory holds a valid
        // `T`.
        UniqueArc {
            inner: Arc {
                ptr: inner.cast(),
                _owns: PhantomData,
            },
        }
    }
}

impl<T> InPlaceWrite<T> for UniqueArc<MaybeUninit<T>> {
    type Initialized = UniqueArc<T>;

    fn write_init<E>(mut self, init: impl Init<T, E>) -> Result<Self::Initialized, E> {
        let slot = (*self).as_mut_ptr();
        // SAFETY: the memory is ours, and holds no value. After an error it is only freed.
        unsafe { init.__init(slot)? };
        // SAFETY: the initialiser succeeded, so there is a value.
        Ok(unsafe { self.assume_init() })
    }

    fn write_pin_init<E>(mut self, init: impl PinInit<T, E>) -> Result<Pin<Self::Initialized>, E> {
        let slot = (*self).as_mut_ptr();
        // SAFETY: the memory is ours, and holds no value. After an error it is only freed, and the
        // resulting pointer is pinned.
        unsafe { init.__pinned_init(slot)? };
        // SAFETY: the initialiser succeeded, so there is a value.
        Ok(unsafe { self.assume_init() }.into())
    }
}

impl<T> InPlaceInit<T> for UniqueArc<T> {
    type PinnedSelf = Pin<Self>;

    #[inline]
    fn try_pin_init<E>(init: impl PinInit<T, E>, flags: Flags) -> Result<Pin<Self>, E>
    where
        E: From<AllocError>,
    {
        UniqueArc::new_uninit(flags)?.write_pin_init(init)
    }

    #[inline]
    fn try_init<E>(init: impl Init<T, E>, flags: Flags) -> Result<Self, E>
    where
        E: From<AllocError>,
    {
        UniqueArc::new_uninit(flags)?.write_init(init)
    }
}

impl<T: ?Sized> From<UniqueArc<T>> for Pin<UniqueArc<T>> {
    #[inline]
    fn from(obj: UniqueArc<T>) -> Self {
        // SAFETY: the value never moves, and its memory is freed only after it was dropped.
        unsafe { Pin::new_unchecked(obj) }
    }
}

impl<T: ?Sized> Deref for UniqueArc<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for UniqueArc<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: by the type's invariant nobody else has a reference to the value, and it is
        // borrowed as `self` is.
        unsafe { &mut (*self.inner.ptr.as_ptr()).data }
    }
}
