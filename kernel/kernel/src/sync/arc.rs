// SPDX-License-Identifier: GPL-2.0-only

//! Values that are shared, and freed when the last owner is gone.

use super::refcount::Refcount;
use crate::alloc::{AllocError, Flags, KBox};
use crate::ffi::c_void;
use crate::init::InPlaceInit;
use crate::types::ForeignOwnable;
use core::fmt;
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

/// A counted reference. The value never moves, so it is always pinned.
///
/// Context: cloning is for every context. Dropping the last reference drops the value, and
/// is for what that may be done in; the memory is freed by `kfree`, in any context but
/// NMIs.
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
///
/// # Invariants
///
/// The pointer is that of a valid value in a `KBox`, whose count includes this
/// reference.
pub struct Arc<T: ?Sized> {
    ptr: NonNull<ArcInner<T>>,
    _owns: PhantomData<ArcInner<T>>,
}

// SAFETY: other threads get `&T` and may be the ones that drop it.
unsafe impl<T: ?Sized + Sync + Send> Send for Arc<T> {}
// SAFETY: by a shared `Arc` another thread gets `&T`, and by cloning it an `Arc` that
// may be the one which drops the value.
unsafe impl<T: ?Sized + Sync + Send> Sync for Arc<T> {}

// Moving the reference does not move the value.
impl<T: ?Sized> Unpin for Arc<T> {}

impl<T: ?Sized + Unsize<U>, U: ?Sized> CoerceUnsized<Arc<U>> for Arc<T> {}
impl<T: ?Sized + Unsize<U>, U: ?Sized> DispatchFromDyn<Arc<U>> for Arc<T> {}

impl<T> Arc<T> {
    /// Moves `contents` into new shared memory.
    ///
    /// Context: what `flags` say: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it may
    /// be in any context but NMIs.
    #[inline]
    pub fn new(contents: T, flags: Flags) -> Result<Self, AllocError> {
        Ok(UniqueArc::new(contents, flags)?.into())
    }

    /// The value's address. It keeps the reference, for [`Self::from_raw`].
    pub fn into_raw(self) -> *const T {
        let inner = ManuallyDrop::new(self).ptr.as_ptr();
        // SAFETY: by the type's invariant it is valid.
        unsafe { &raw const (*inner).data }
    }

    /// Takes back what [`Self::into_raw`] gave.
    ///
    /// # Safety
    ///
    /// `ptr` comes from there, and is taken back once.
    pub unsafe fn from_raw(ptr: *const T) -> Self {
        // SAFETY: the pointer is from `into_raw`, so the value is the `data` of an
        // `ArcInner`, which begins that much before it in the same memory.
        let inner = unsafe { ptr.byte_sub(offset_of!(ArcInner<T>, data)) };
        Self {
            // SAFETY: it points to an `ArcInner`, so it is not null.
            ptr: unsafe { NonNull::new_unchecked(inner.cast_mut().cast()) },
            _owns: PhantomData,
        }
    }
}

impl<T: ?Sized> Arc<T> {
    /// Whether both are of the same value.
    #[inline]
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        core::ptr::addr_eq(this.ptr.as_ptr(), other.ptr.as_ptr())
    }

    /// A borrow that can become an [`Arc`] again.
    pub fn as_arc_borrow(&self) -> ArcBorrow<'_, T> {
        ArcBorrow {
            inner: self.ptr,
            _p: PhantomData,
        }
    }

    /// Gives this reference away; returns the value's memory to the one who gave
    /// away the last, so that of several owners who do this exactly one gets it.
    /// It never runs the value's destructor.
    ///
    /// Context: any.
    pub fn into_unique_or_drop(this: Self) -> Option<Pin<UniqueArc<T>>> {
        let this = ManuallyDrop::new(this);
        // SAFETY: by the type's invariant the value is valid: this reference counts.
        let refcount = unsafe { &this.ptr.as_ref().refcount };
        if !refcount.dec_and_test() {
            // The others may have freed it meanwhile.
            return None;
        }
        // Nobody else has a reference, so nobody can make or count one.
        refcount.set(1);
        Some(Pin::from(UniqueArc {
            inner: ManuallyDrop::into_inner(this),
        }))
    }
}

impl<T: ?Sized> Clone for Arc<T> {
    fn clone(&self) -> Self {
        // SAFETY: by the type's invariant it is valid.
        unsafe { self.ptr.as_ref() }.refcount.inc();
        Self {
            ptr: self.ptr,
            _owns: PhantomData,
        }
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant it is valid.
        if unsafe { self.ptr.as_ref() }.refcount.dec_and_test() {
            // SAFETY: it came out of a `KBox`, and this was the last reference.
            drop(unsafe { KBox::from_raw(self.ptr.as_ptr()) });
        }
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: by the type's invariant it is valid.
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
        // SAFETY: an `Arc`'s value is pinned as well.
        unsafe { Pin::into_inner_unchecked(item).inner }
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
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

// SAFETY: the pointer is that of the `ArcInner`, whose first field is the count.
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
            // SAFETY: the pointer is from `into_foreign`, which gives that of an `Arc`:
            // not null, and with the reference that this takes over.
            ptr: unsafe { NonNull::new_unchecked(ptr.cast()) },
            _owns: PhantomData,
        }
    }

    unsafe fn borrow<'a>(ptr: *mut c_void) -> ArcBorrow<'a, T> {
        ArcBorrow {
            // SAFETY: the pointer is from `into_foreign`, which gives that of an `Arc`:
            // not null. Its reference stays there for `'a`.
            inner: unsafe { NonNull::new_unchecked(ptr.cast()) },
            _p: PhantomData,
        }
    }

    #[inline]
    unsafe fn borrow_mut<'a>(ptr: *mut c_void) -> ArcBorrow<'a, T> {
        // SAFETY: the caller promises more than `borrow` needs.
        unsafe { Self::borrow(ptr) }
    }
}

/// A borrowed [`Arc`]: no counting, and it can be made into one.
///
/// # Examples
///
/// ```
/// use kernel::sync::{Arc, ArcBorrow};
/// fn keep(b: ArcBorrow<'_, u32>) -> Arc<u32> {
///     b.into()
/// }
/// ```
///
/// # Invariants
///
/// There is a reference at least as long as this lives.
pub struct ArcBorrow<'a, T: ?Sized + 'a> {
    inner: NonNull<ArcInner<T>>,
    _p: PhantomData<&'a ()>,
}

// SAFETY: another thread gets `&T` by it, and can make an `Arc` of it, which may be the
// one that drops the value.
unsafe impl<T: ?Sized + Sync + Send> Send for ArcBorrow<'_, T> {}
// SAFETY: it is `Copy`, so what is shared can be had as a value, too: see `Send`.
unsafe impl<T: ?Sized + Sync + Send> Sync for ArcBorrow<'_, T> {}

impl<T> ArcBorrow<'_, T> {
    /// Borrows what [`Arc::into_raw`] gave.
    ///
    /// # Safety
    ///
    /// `ptr` comes from there, and that reference stays while the result lives.
    pub unsafe fn from_raw(ptr: *const T) -> Self {
        // SAFETY: `from_raw` wants a pointer from `into_raw` that is taken back once. It
        // is one, and what is made of it is not dropped, so it takes nothing back.
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

impl<T: ?Sized> From<ArcBorrow<'_, T>> for Arc<T> {
    fn from(b: ArcBorrow<'_, T>) -> Self {
        // By the borrow's invariant there is a reference; this stands in for it and is
        // not dropped.
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
        // SAFETY: by the type's invariant it is valid.
        unsafe { &self.inner.as_ref().data }
    }
}

/// An [`Arc`] that has one owner so far, and may be changed.
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
///
/// # Invariants
///
/// The count is 1.
pub struct UniqueArc<T: ?Sized> {
    inner: Arc<T>,
}

impl<T> UniqueArc<T> {
    /// Moves `value` into new memory.
    ///
    /// Context: what `flags` say: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it may
    /// be in any context but NMIs.
    #[inline]
    pub fn new(value: T, flags: Flags) -> Result<Self, AllocError> {
        Ok(Self::new_uninit(flags)?.write(value))
    }

    /// Memory for a value.
    pub fn new_uninit(flags: Flags) -> Result<UniqueArc<MaybeUninit<T>>, AllocError> {
        let inner = KBox::<ArcInner<MaybeUninit<T>>>::new_uninit(flags)?;
        let ptr = KBox::into_raw(inner).cast::<ArcInner<MaybeUninit<T>>>();
        // SAFETY: the box was just made, so the place of the count is valid for writes and
        // aligned. The data is a `MaybeUninit`, which needs no value.
        unsafe { (&raw mut (*ptr).refcount).write(Refcount::new(1)) };
        Ok(UniqueArc {
            inner: Arc {
                // SAFETY: a box is never null.
                ptr: unsafe { NonNull::new_unchecked(ptr) },
                _owns: PhantomData,
            },
        })
    }
}

impl<T> UniqueArc<MaybeUninit<T>> {
    /// Writes the value.
    pub fn write(mut self, value: T) -> UniqueArc<T> {
        (*self).write(value);
        // SAFETY: it was just written.
        unsafe { self.assume_init() }
    }

    /// Says that the value is there.
    ///
    /// # Safety
    ///
    /// It is.
    pub unsafe fn assume_init(self) -> UniqueArc<T> {
        let inner = ManuallyDrop::new(self.inner).ptr;
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
        // SAFETY: the memory is ours and uninitialised; on failure it is only
        // freed.
        unsafe { init.__init(slot)? };
        // SAFETY: the initialiser succeeded.
        Ok(unsafe { self.assume_init() })
    }

    fn write_pin_init<E>(mut self, init: impl PinInit<T, E>) -> Result<Pin<Self::Initialized>, E> {
        let slot = (*self).as_mut_ptr();
        // SAFETY: the memory is ours and uninitialised; on failure it is only freed. What
        // is made there is handed out pinned.
        unsafe { init.__pinned_init(slot)? };
        // SAFETY: the initialiser succeeded.
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
        // SAFETY: the value never moves, and is freed only after dropping.
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
        // SAFETY: by the type's invariant nobody else has a reference.
        unsafe { &mut (*self.inner.ptr.as_ptr()).data }
    }
}
