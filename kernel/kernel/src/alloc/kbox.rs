// SPDX-License-Identifier: GPL-2.0-only

//! One value in memory of its own.

use super::allocator::{AllocError, Allocator, KVmalloc, Kmalloc, Vmalloc};
use super::gfp::{flags, Flags};
use crate::ffi::c_void;
use crate::init::InPlaceInit;
use crate::types::ForeignOwnable;
use core::alloc::Layout;
use core::fmt;
use core::marker::{PhantomData, Unsize};
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::{CoerceUnsized, Deref, DerefMut, DispatchFromDyn};
use core::pin::Pin;
use core::ptr::NonNull;
use pin_init::{InPlaceWrite, Init, PinInit, Zeroable};

/// An owned value in kernel memory.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// fn sum() -> Result<u32> {
///     let b = KBox::new([1u32, 2, 3], GFP_KERNEL)?;
///     Ok(b.iter().sum())
/// }
/// ```
///
/// # Invariants
///
/// The pointer is that of a valid `T` in memory of `A` that nobody else owns,
/// or dangling and aligned if `T` has no size.
#[repr(transparent)]
pub struct Box<T: ?Sized, A: Allocator>(NonNull<T>, PhantomData<(A, T)>);

/// A [`Box`] from `kmalloc`.
///
/// Context: dropping it frees by `kfree`, in any context but NMIs, unless the value's own
/// drop asks for more.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// let b: Result<KBox<u8>, _> = KBox::new(5, GFP_KERNEL);
/// # let _ = b;
/// ```
pub type KBox<T> = Box<T, Kmalloc>;

/// A [`Box`] from `vmalloc`, for large values.
///
/// Context: allocating and dropping it may sleep: process context.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// let b = VBox::<[u8; 1 << 20]>::zeroed(GFP_KERNEL);
/// # let _ = b;
/// ```
pub type VBox<T> = Box<T, Vmalloc>;

/// A [`Box`] from `kvmalloc`.
///
/// Context: allocating and dropping it may sleep: process context.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// let b = KVBox::<[u8; 1 << 16]>::zeroed(GFP_KERNEL);
/// # let _ = b;
/// ```
pub type KVBox<T> = Box<T, KVmalloc>;

// SAFETY: a box owns its value as a plain variable does, and memory may be freed by another
// thread than the one which allocated it.
unsafe impl<T: ?Sized + Send, A: Allocator> Send for Box<T, A> {}
// SAFETY: by a shared box its value can be reached as shared only.
unsafe impl<T: ?Sized + Sync, A: Allocator> Sync for Box<T, A> {}

// Moving the box does not move the value.
impl<T: ?Sized, A: Allocator> Unpin for Box<T, A> {}

impl<T: ?Sized + Unsize<U>, U: ?Sized, A: Allocator> CoerceUnsized<Box<U, A>> for Box<T, A> {}
impl<T: ?Sized + Unsize<U>, U: ?Sized, A: Allocator> DispatchFromDyn<Box<U, A>> for Box<T, A> {}

impl<T: ?Sized, A: Allocator> Box<T, A> {
    /// Takes back what [`Self::into_raw`] gave.
    ///
    /// # Safety
    ///
    /// `raw` comes from `into_raw` of the same type, and is not used otherwise.
    #[inline]
    pub const unsafe fn from_raw(raw: *mut T) -> Self {
        // SAFETY: `into_raw` gives no null.
        Self(unsafe { NonNull::new_unchecked(raw) }, PhantomData)
    }

    /// Gives up ownership without freeing.
    #[inline]
    pub fn into_raw(b: Self) -> *mut T {
        ManuallyDrop::new(b).0.as_ptr()
    }

    /// Gives up the memory for good.
    #[inline]
    pub fn leak<'a>(b: Self) -> &'a mut T {
        // SAFETY: by the type's invariant it is valid, and nobody frees it now.
        unsafe { &mut *Box::into_raw(b) }
    }

    /// Pins the value: it stays where it is until it is dropped.
    #[inline]
    pub fn into_pin(this: Self) -> Pin<Self> {
        this.into()
    }
}

impl<T, A: Allocator> Box<T, A> {
    /// Moves `x` into new memory.
    ///
    /// Context: what `flags` say: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it may
    /// be in any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; `x` is dropped.
    #[inline]
    pub fn new(x: T, flags: Flags) -> Result<Self, AllocError> {
        Ok(Box::write(Self::new_uninit(flags)?, x))
    }

    /// Memory for a value.
    ///
    /// Context: what `flags` say: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it may
    /// be in any context but NMIs.
    pub fn new_uninit(flags: Flags) -> Result<Box<MaybeUninit<T>, A>, AllocError> {
        let memory = A::alloc(Layout::new::<MaybeUninit<T>>(), flags)?;
        Ok(Box(memory.cast(), PhantomData))
    }

    /// A value of zeroes, made in place.
    ///
    /// Context: what `flags` say: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it may
    /// be in any context but NMIs.
    pub fn zeroed(flags: Flags) -> Result<Self, AllocError>
    where
        T: Zeroable,
    {
        let b = Self::new_uninit(flags | flags::__GFP_ZERO)?;
        // SAFETY: the memory is zeroed, and for this type that is a value.
        Ok(unsafe { b.assume_init() })
    }

    /// Moves `x` into new memory and pins it there.
    ///
    /// Context: what `flags` say: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it may
    /// be in any context but NMIs.
    #[inline]
    pub fn pin(x: T, flags: Flags) -> Result<Pin<Self>, AllocError> {
        Ok(Self::new(x, flags)?.into())
    }

    /// Takes the value out and frees the memory.
    pub fn into_inner(b: Self) -> T {
        // SAFETY: by the type's invariant there is a value, and `b` is not used
        // after this.
        let value = unsafe { b.0.read() };
        drop(Self::into_empty(b));
        value
    }

    /// Drops the value and keeps the memory.
    pub fn drop_contents(b: Self) -> Box<MaybeUninit<T>, A> {
        // SAFETY: by the type's invariant there is a value, and the box says
        // next that there is none.
        unsafe { b.0.drop_in_place() };
        Self::into_empty(b)
    }

    #[inline]
    fn into_empty(b: Self) -> Box<MaybeUninit<T>, A> {
        Box(ManuallyDrop::new(b).0.cast(), PhantomData)
    }
}

impl<T, A: Allocator> Box<MaybeUninit<T>, A> {
    /// Says that the value is there.
    ///
    /// # Safety
    ///
    /// It is.
    #[inline]
    pub unsafe fn assume_init(self) -> Box<T, A> {
        Box(ManuallyDrop::new(self).0.cast(), PhantomData)
    }

    /// Writes the value.
    pub fn write(mut this: Self, value: T) -> Box<T, A> {
        (*this).write(value);
        // SAFETY: it was just written.
        unsafe { this.assume_init() }
    }
}

impl<T, A: Allocator> InPlaceWrite<T> for Box<MaybeUninit<T>, A> {
    type Initialized = Box<T, A>;

    fn write_init<E>(mut self, init: impl Init<T, E>) -> Result<Self::Initialized, E> {
        let slot = self.as_mut_ptr();
        // SAFETY: the memory is ours and uninitialised; on failure it is only
        // freed.
        unsafe { init.__init(slot)? };
        // SAFETY: the initialiser succeeded.
        Ok(unsafe { self.assume_init() })
    }

    fn write_pin_init<E>(mut self, init: impl PinInit<T, E>) -> Result<Pin<Self::Initialized>, E> {
        let slot = self.as_mut_ptr();
        // SAFETY: the memory is ours and uninitialised, on failure it is only
        // freed, and the result is pinned.
        unsafe { init.__pinned_init(slot)? };
        // SAFETY: the initialiser succeeded.
        Ok(unsafe { self.assume_init() }.into())
    }
}

impl<T, A: Allocator> InPlaceInit<T> for Box<T, A> {
    type PinnedSelf = Pin<Self>;

    #[inline]
    fn try_pin_init<E>(init: impl PinInit<T, E>, flags: Flags) -> Result<Pin<Self>, E>
    where
        E: From<AllocError>,
    {
        Box::<_, A>::new_uninit(flags)?.write_pin_init(init)
    }

    #[inline]
    fn try_init<E>(init: impl Init<T, E>, flags: Flags) -> Result<Self, E>
    where
        E: From<AllocError>,
    {
        Box::<_, A>::new_uninit(flags)?.write_init(init)
    }
}

impl<T: ?Sized, A: Allocator> From<Box<T, A>> for Pin<Box<T, A>> {
    #[inline]
    fn from(b: Box<T, A>) -> Self {
        // SAFETY: a box never moves its value, and frees it only after dropping.
        unsafe { Pin::new_unchecked(b) }
    }
}

impl<T: ?Sized, A: Allocator> Deref for Box<T, A> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: by the type's invariant it is valid and ours.
        unsafe { self.0.as_ref() }
    }
}

impl<T: ?Sized, A: Allocator> DerefMut for Box<T, A> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: by the type's invariant it is valid and ours.
        unsafe { self.0.as_mut() }
    }
}

impl<T: ?Sized + fmt::Display, A: Allocator> fmt::Display for Box<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug, A: Allocator> fmt::Debug for Box<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized, A: Allocator> Drop for Box<T, A> {
    fn drop(&mut self) {
        let layout = Layout::for_value::<T>(self);
        // SAFETY: by the type's invariant there is a value, and it is ours.
        unsafe { self.0.drop_in_place() };
        // SAFETY: the memory comes from `A`, with this layout.
        unsafe { A::free(self.0.cast(), layout) };
    }
}

// SAFETY: the pointer is that of the box, which is aligned as `T` is.
unsafe impl<T: 'static, A: Allocator + 'static> ForeignOwnable for Box<T, A> {
    const FOREIGN_ALIGN: usize = align_of::<T>();
    type Borrowed<'a> = &'a T;
    type BorrowedMut<'a> = &'a mut T;

    #[inline]
    fn into_foreign(self) -> *mut c_void {
        Box::into_raw(self).cast()
    }

    #[inline]
    unsafe fn from_foreign(ptr: *mut c_void) -> Self {
        // SAFETY: the pointer is from `into_foreign`, which is that of `into_raw`, and is
        // taken back once, as the trait's caller promises.
        unsafe { Box::from_raw(ptr.cast()) }
    }

    #[inline]
    unsafe fn borrow<'a>(ptr: *mut c_void) -> &'a T {
        // SAFETY: the pointer is from `into_foreign`, so that of a value. The trait's caller
        // promises that it is not taken back or borrowed mutably during `'a`.
        unsafe { &*ptr.cast() }
    }

    #[inline]
    unsafe fn borrow_mut<'a>(ptr: *mut c_void) -> &'a mut T {
        // SAFETY: the pointer is from `into_foreign`, so that of a value. The trait's caller
        // promises that it is not taken back or borrowed otherwise during `'a`.
        unsafe { &mut *ptr.cast() }
    }
}

// SAFETY: the pointer is that of the box, which is aligned as `T` is.
unsafe impl<T: 'static, A: Allocator + 'static> ForeignOwnable for Pin<Box<T, A>> {
    const FOREIGN_ALIGN: usize = align_of::<T>();
    type Borrowed<'a> = Pin<&'a T>;
    type BorrowedMut<'a> = Pin<&'a mut T>;

    #[inline]
    fn into_foreign(self) -> *mut c_void {
        // SAFETY: the value is not moved: only its address is given away, and the other
        // functions pin it again.
        Box::into_raw(unsafe { Pin::into_inner_unchecked(self) }).cast()
    }

    #[inline]
    unsafe fn from_foreign(ptr: *mut c_void) -> Self {
        // SAFETY: the pointer is from `into_foreign`, which is that of `into_raw` of a pinned
        // box, and is taken back once, as the trait's caller promises.
        unsafe { Pin::new_unchecked(Box::from_raw(ptr.cast())) }
    }

    #[inline]
    unsafe fn borrow<'a>(ptr: *mut c_void) -> Pin<&'a T> {
        // SAFETY: the pointer is from `into_foreign`, so that of a pinned value. The trait's
        // caller promises that it is not taken back or borrowed mutably during `'a`.
        unsafe { Pin::new_unchecked(&*ptr.cast()) }
    }

    #[inline]
    unsafe fn borrow_mut<'a>(ptr: *mut c_void) -> Pin<&'a mut T> {
        // SAFETY: the pointer is from `into_foreign`, so that of a pinned value. The trait's
        // caller promises that it is not taken back or borrowed otherwise during `'a`.
        unsafe { Pin::new_unchecked(&mut *ptr.cast()) }
    }
}
