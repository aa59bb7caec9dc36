// SPDX-License-Identifier: GPL-2.0-only

//! Boxes: one value in an allocation of its own.

use super::allocator::{AllocError, Allocator, KVmalloc, Kmalloc, Vmalloc};
use super::gfp::{flags, Flags};
use crate::ffi::c_void;
use crate::fmt::Display;
use crate::init::InPlaceInit;
use crate::types::ForeignOwnable;
use core::alloc::Layout;
use core::borrow::{Borrow, BorrowMut};
use core::fmt;
use core::marker::{PhantomData, Unsize};
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::{CoerceUnsized, Deref, DerefMut, DispatchFromDyn};
use core::pin::Pin;
use core::ptr::NonNull;
use pin_init::{InPlaceWrite, Init, PinInit, Zeroable};

/// A pointer that owns a value in an allocation of the kernel.
///
/// # Invariants
///
/// The pointer is that of a valid `T` in memory of `A` that nobody else owns. It is dangling and
/// aligned if `T` has no size.
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
#[repr(transparent)]
pub struct Box<T: ?Sized, A: Allocator>(NonNull<T>, PhantomData<(A, T)>);

/// A [`Box`] from `kmalloc`.
///
/// Context: dropping it frees by `kfree`, in any context but NMIs, unless dropping the value
/// requires more.
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
/// Context: process context; allocating and dropping it may sleep.
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
/// Context: process context; allocating and dropping it may sleep.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// let b = KVBox::<[u8; 1 << 16]>::zeroed(GFP_KERNEL);
/// # let _ = b;
/// ```
pub type KVBox<T> = Box<T, KVmalloc>;

// SAFETY: a box owns its value as a plain variable does, and any thread may free memory that
// another one allocated.
unsafe impl<T: ?Sized + Send, A: Allocator> Send for Box<T, A> {}
// SAFETY: a shared reference to a box gives only shared access to its value.
unsafe impl<T: ?Sized + Sync, A: Allocator> Sync for Box<T, A> {}

// Moving the box does not move the value.
impl<T: ?Sized, A: Allocator> Unpin for Box<T, A> {}

impl<T: ?Sized + Unsize<U>, U: ?Sized, A: Allocator> CoerceUnsized<Box<U, A>> for Box<T, A> {}
impl<T: ?Sized + Unsize<U>, U: ?Sized, A: Allocator> DispatchFromDyn<Box<U, A>> for Box<T, A> {}

impl<T: ?Sized, A: Allocator> Box<T, A> {
    /// Creates a box from a pointer that [`Self::into_raw`] returned.
    ///
    /// # Safety
    ///
    /// `raw` must come from `into_raw` of the same type, and must not be used otherwise.
    #[inline]
    pub const unsafe fn from_raw(raw: *mut T) -> Self {
        // INVARIANT: by this function's contract the pointer is that of a box, which now owns it
        // again.
        // SAFETY: `into_raw` never returns null.
        Self(unsafe { NonNull::new_unchecked(raw) }, PhantomData)
    }

    /// Returns the pointer to the value, and gives up ownership without freeing.
    #[inline]
    pub fn into_raw(b: Self) -> *mut T {
        ManuallyDrop::new(b).0.as_ptr()
    }

    /// Returns a reference to the value, which is never freed.
    #[inline]
    pub fn leak<'a>(b: Self) -> &'a mut T {
        // SAFETY: by the type's invariant the pointer is valid, and nobody will free it.
        unsafe { &mut *Box::into_raw(b) }
    }

    /// Pins the value: it stays in its place until it is dropped.
    #[inline]
    pub fn into_pin(this: Self) -> Pin<Self> {
        this.into()
    }
}

impl<T, A: Allocator> Box<T, A> {
    /// Allocates memory, and moves `x` into it.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory; `x` is dropped then.
    #[inline]
    pub fn new(x: T, flags: Flags) -> Result<Self, AllocError> {
        Ok(Box::write(Self::new_uninit(flags)?, x))
    }

    /// Allocates memory for a value.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory.
    #[inline]
    pub fn new_uninit(flags: Flags) -> Result<Box<MaybeUninit<T>, A>, AllocError> {
        Ok(Box(A::alloc_value::<MaybeUninit<T>>(flags)?, PhantomData))
    }

    /// Allocates a value that is all zero.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory.
    pub fn zeroed(flags: Flags) -> Result<Self, AllocError>
    where
        T: Zeroable,
    {
        let b = Self::new_uninit(flags | flags::__GFP_ZERO)?;
        // SAFETY: the memory is zeroed, which is a valid value by `T: Zeroable`.
        Ok(unsafe { b.assume_init() })
    }

    /// Allocates memory, moves `x` into it, and pins it there.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory; `x` is dropped then.
    #[inline]
    pub fn pin(x: T, flags: Flags) -> Result<Pin<Self>, AllocError> {
        Ok(Self::new(x, flags)?.into())
    }

    /// Moves the value out, and frees the memory.
    pub fn into_inner(b: Self) -> T {
        // SAFETY: by the type's invariant there is a value. It is not used in `b` again, whose
        // memory is only freed.
        let value = unsafe { b.0.read() };
        drop(Self::into_empty(b));
        value
    }

    /// Drops the value, and keeps the memory.
    pub fn drop_contents(b: Self) -> Box<MaybeUninit<T>, A> {
        // SAFETY: by the type's invariant there is a value. The box that is returned does not
        // assume one.
        unsafe { b.0.drop_in_place() };
        Self::into_empty(b)
    }

    #[inline]
    fn into_empty(b: Self) -> Box<MaybeUninit<T>, A> {
        // INVARIANT: a `MaybeUninit` is valid in every state, and the memory is that of `b`, which
        // is not dropped.
        Box(ManuallyDrop::new(b).0.cast(), PhantomData)
    }
}

impl<T, A: Allocator> Box<MaybeUninit<T>, A> {
    /// Asserts that the memory holds a value.
    ///
    /// # Safety
    ///
    /// The memory must hold a valid `T`.
    #[inline]
    pub unsafe fn assume_init(self) -> Box<T, A> {
        // INVARIANT: by this function's contract the memory holds a valid `T`. It is that of
        // `self`, which is not dropped.
        Box(ManuallyDrop::new(self).0.cast(), PhantomData)
    }

    /// Moves a value into the memory.
    pub fn write(mut this: Self, value: T) -> Box<T, A> {
        (*this).write(value);
        // SAFETY: the value was just written.
        unsafe { this.assume_init() }
    }
}

impl<T, A: Allocator> InPlaceWrite<T> for Box<MaybeUninit<T>, A> {
    type Initialized = Box<T, A>;

    fn write_init<E>(mut self, init: impl Init<T, E>) -> Result<Self::Initialized, E> {
        let slot = self.as_mut_ptr();
        // SAFETY: the memory is ours, and holds no value. After an error it is only freed.
        unsafe { init.__init(slot)? };
        // SAFETY: the initialiser succeeded, so there is a value.
        Ok(unsafe { self.assume_init() })
    }

    fn write_pin_init<E>(mut self, init: impl PinInit<T, E>) -> Result<Pin<Self::Initialized>, E> {
        let slot = self.as_mut_ptr();
        // SAFETY: the memory is ours, and holds no value. After an error it is only freed, and the
        // resulting box is pinned.
        unsafe { init.__pinned_init(slot)? };
        // SAFETY: the initialiser succeeded, so there is a value.
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
        // SAFETY: a box never moves its value, and frees the memory only after the value was
        // dropped.
        unsafe { Pin::new_unchecked(b) }
    }
}

impl<T: ?Sized, A: Allocator> Deref for Box<T, A> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: by the type's invariant the value is valid, and it is borrowed as the box is.
        unsafe { self.0.as_ref() }
    }
}

impl<T: ?Sized, A: Allocator> DerefMut for Box<T, A> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: by the type's invariant the value is valid and ours, and it is borrowed as the
        // box is.
        unsafe { self.0.as_mut() }
    }
}

impl<T: ?Sized, A: Allocator> Borrow<T> for Box<T, A> {
    #[inline]
    fn borrow(&self) -> &T {
        self
    }
}

impl<T: ?Sized, A: Allocator> BorrowMut<T> for Box<T, A> {
    #[inline]
    fn borrow_mut(&mut self) -> &mut T {
        self
    }
}

impl<T: ?Sized + fmt::Display, A: Allocator> fmt::Display for Box<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl<T: ?Sized + Display, A: Allocator> Display for Box<T, A> {
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
        // SAFETY: by the type's invariant there is a value, which is ours and is not used again.
        unsafe { self.0.drop_in_place() };
        // SAFETY: by the type's invariant the memory comes from `A`, with the layout of the value.
        unsafe { A::free(self.0.cast(), layout) };
    }
}

// SAFETY: the pointer is that of the box, which has the alignment of `T`.
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
        // SAFETY: `from_raw` takes a pointer from `into_raw`: by the trait's contract it is from
        // `into_foreign`, which returns that one, and is converted back once.
        unsafe { Box::from_raw(ptr.cast()) }
    }

    #[inline]
    unsafe fn borrow<'a>(ptr: *mut c_void) -> &'a T {
        // SAFETY: by the trait's contract the pointer is from `into_foreign`, so that of a value,
        // and is neither converted back nor borrowed mutably during `'a`.
        unsafe { &*ptr.cast() }
    }

    #[inline]
    unsafe fn borrow_mut<'a>(ptr: *mut c_void) -> &'a mut T {
        // SAFETY: by the trait's contract the pointer is from `into_foreign`, so that of a value,
        // and is neither converted back nor borrowed otherwise during `'a`.
        unsafe { &mut *ptr.cast() }
    }
}

// SAFETY: the pointer is that of the box, which has the alignment of `T`.
unsafe impl<T: 'static, A: Allocator + 'static> ForeignOwnable for Pin<Box<T, A>> {
    const FOREIGN_ALIGN: usize = align_of::<T>();
    type Borrowed<'a> = Pin<&'a T>;
    type BorrowedMut<'a> = Pin<&'a mut T>;

    #[inline]
    fn into_foreign(self) -> *mut c_void {
        // SAFETY: the value is not moved: only its address is returned, and the other functions pin
        // it again.
        Box::into_raw(unsafe { Pin::into_inner_unchecked(self) }).cast()
    }

    #[inline]
    unsafe fn from_foreign(ptr: *mut c_void) -> Self {
        // SAFETY: `from_raw` takes a pointer from `into_raw`: by the trait's contract it is from
        // `into_foreign`, which returns that of a pinned box, and is converted back once.
        unsafe { Pin::new_unchecked(Box::from_raw(ptr.cast())) }
    }

    #[inline]
    unsafe fn borrow<'a>(ptr: *mut c_void) -> Pin<&'a T> {
        // SAFETY: by the trait's contract the pointer is from `into_foreign`, so that of a pinned
        // value, and is neither converted back nor borrowed mutably during `'a`.
        unsafe { Pin::new_unchecked(&*ptr.cast()) }
    }

    #[inline]
    unsafe fn borrow_mut<'a>(ptr: *mut c_void) -> Pin<&'a mut T> {
        // SAFETY: by the trait's contract the pointer is from `into_foreign`, so that of a pinned
        // value, and is neither converted back nor borrowed otherwise during `'a`.
        unsafe { Pin::new_unchecked(&mut *ptr.cast()) }
    }
}
