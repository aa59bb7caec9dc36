// SPDX-License-Identifier: GPL-2.0-only

//! Growing arrays.

use super::allocator::{AllocError, Allocator, KVmalloc, Kmalloc, Vmalloc};
use super::gfp::Flags;
use super::kbox::Box;
use crate::error::{code::EINVAL, Error};
use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr::{self, NonNull};

/// A growing array in kernel memory. Only the methods that take [`Flags`]
/// allocate.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// fn squares() -> Result<KVec<u32>> {
///     let mut v = KVec::new();
///     for n in 0..10 {
///         v.push(n * n, GFP_KERNEL)?;
///     }
///     Ok(v)
/// }
/// ```
///
/// # Invariants
///
/// The first `len` of `cap` elements at `ptr` are valid; the memory is that of
/// an allocation of `A` of `cap` elements. If `cap` or the element's size is 0,
/// there is none, and `ptr` is dangling and aligned.
pub struct Vec<T, A: Allocator> {
    ptr: NonNull<T>,
    cap: usize,
    len: usize,
    _owns: PhantomData<(A, T)>,
}

/// A [`Vec`] from `kmalloc`.
///
/// # Examples
///
/// ```
/// let v: kernel::alloc::KVec<u8> = kernel::alloc::KVec::new();
/// # let _ = v;
/// ```
pub type KVec<T> = Vec<T, Kmalloc>;

/// A [`Vec`] from `vmalloc`, for large arrays.
///
/// # Examples
///
/// ```
/// let v: kernel::alloc::VVec<u8> = kernel::alloc::VVec::new();
/// # let _ = v;
/// ```
pub type VVec<T> = Vec<T, Vmalloc>;

/// A [`Vec`] from `kvmalloc`.
///
/// # Examples
///
/// ```
/// let v: kernel::alloc::KVVec<u8> = kernel::alloc::KVVec::new();
/// # let _ = v;
/// ```
pub type KVVec<T> = Vec<T, KVmalloc>;

/// There was no capacity left; gives the element back. Turns into `EINVAL`.
///
/// # Examples
///
/// ```
/// let full = kernel::alloc::PushError(5u8);
/// let element = full.0;
/// # let _ = element;
/// ```
pub struct PushError<T>(pub T);

/// The index was too large, or there was no capacity left; gives the element
/// back. Turns into `EINVAL`.
///
/// # Examples
///
/// ```
/// let error = kernel::alloc::InsertError::OutOfCapacity(5u8);
/// let errno = kernel::Error::from(error);
/// # let _ = errno;
/// ```
pub enum InsertError<T> {
    /// The index is beyond the end.
    IndexOutOfBounds(T),
    /// There is no room.
    OutOfCapacity(T),
}

/// The index was too large. Turns into `EINVAL`.
///
/// # Examples
///
/// ```
/// let errno = kernel::Error::from(kernel::alloc::RemoveError);
/// # let _ = errno;
/// ```
pub struct RemoveError;

macro_rules! errors {
    ($($name:ident $(<$t:ident>)? $text:literal),*) => {$(
        impl$(<$t>)? fmt::Debug for $name$(<$t>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($text)
            }
        }

        impl$(<$t>)? From<$name$(<$t>)?> for Error {
            #[inline]
            fn from(_: $name$(<$t>)?) -> Error {
                EINVAL
            }
        }
    )*};
}
errors!(PushError<T> "no capacity", InsertError<T> "bad index or no capacity", RemoveError "bad index");

// SAFETY: a vector owns its elements as an array does, and memory may be freed by another
// thread than the one which allocated it.
unsafe impl<T: Send, A: Allocator> Send for Vec<T, A> {}
// SAFETY: by a shared vector its elements can be reached as shared only.
unsafe impl<T: Sync, A: Allocator> Sync for Vec<T, A> {}

impl<T, A: Allocator> Default for Vec<T, A> {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl<T, A: Allocator> Vec<T, A> {
    /// An empty vector, without memory.
    pub const fn new() -> Self {
        Self {
            ptr: NonNull::dangling(),
            cap: 0,
            len: 0,
            _owns: PhantomData,
        }
    }

    /// An empty vector with room for `capacity` elements.
    ///
    /// Context: what `flags` say: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it may
    /// be in any context but NMIs.
    pub fn with_capacity(capacity: usize, flags: Flags) -> Result<Self, AllocError> {
        let mut v = Self::new();
        v.reserve(capacity, flags)?;
        Ok(v)
    }

    /// `n` clones of `value`.
    ///
    /// Context: what `flags` say: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it may
    /// be in any context but NMIs.
    pub fn from_elem(value: T, n: usize, flags: Flags) -> Result<Self, AllocError>
    where
        T: Clone,
    {
        let mut v = Self::with_capacity(n, flags)?;
        v.extend_with(n, value, flags)?;
        Ok(v)
    }

    /// How many elements fit without allocating.
    pub const fn capacity(&self) -> usize {
        if size_of::<T>() == 0 {
            usize::MAX
        } else {
            self.cap
        }
    }

    /// How many elements there are.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The elements.
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        self
    }

    /// The elements, to be changed.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self
    }

    /// The first element's address.
    #[inline]
    pub const fn as_ptr(&self) -> *const T {
        self.ptr.as_ptr()
    }

    /// The first element's address.
    #[inline]
    pub const fn as_mut_ptr(&mut self) -> *mut T {
        self.ptr.as_ptr()
    }

    /// Says that there are `new_len` elements.
    ///
    /// # Safety
    ///
    /// There are, and they fit into the capacity.
    #[inline]
    pub unsafe fn set_len(&mut self, new_len: usize) {
        self.len = new_len;
    }

    /// Makes room for `additional` more elements, and for some beyond.
    ///
    /// Context: what `flags` say: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it may
    /// be in any context but NMIs.
    pub fn reserve(&mut self, additional: usize, flags: Flags) -> Result<(), AllocError> {
        let needed = self.len.checked_add(additional).ok_or(AllocError)?;
        if needed <= self.capacity() {
            return Ok(());
        }
        // Twice as much, so that many pushes cost few allocations.
        let cap = needed.max(self.cap.saturating_mul(2));
        if self.grow_to(cap, flags).is_err() {
            self.grow_to(needed, flags)?;
        }
        Ok(())
    }

    fn grow_to(&mut self, cap: usize, flags: Flags) -> Result<(), AllocError> {
        let layout = Layout::array::<T>(cap).map_err(|_| AllocError)?;
        let old = self.layout();
        let ptr = (old.size() != 0).then_some(self.ptr.cast());
        // SAFETY: by the type's invariant the memory is of `A`, with the old
        // layout, and both layouts are of the same element.
        self.ptr = unsafe { A::realloc(ptr, layout, old, flags)? }.cast();
        self.cap = cap;
        Ok(())
    }

    #[inline]
    fn layout(&self) -> Layout {
        // It was checked when the memory was allocated.
        Layout::array::<T>(self.cap).unwrap_or(Layout::new::<()>())
    }

    /// Appends an element.
    ///
    /// Context: what `flags` say: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it may
    /// be in any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; the element is dropped.
    pub fn push(&mut self, v: T, flags: Flags) -> Result<(), AllocError> {
        self.reserve(1, flags)?;
        // SAFETY: there is room for one.
        unsafe { self.push_unchecked(v) };
        Ok(())
    }

    /// Appends an element if there is room: allocates nothing.
    ///
    /// Context: any: it allocates nothing.
    pub fn push_within_capacity(&mut self, v: T) -> Result<(), PushError<T>> {
        if self.len >= self.capacity() {
            return Err(PushError(v));
        }
        // SAFETY: there is room for one.
        unsafe { self.push_unchecked(v) };
        Ok(())
    }

    /// # Safety
    ///
    /// There is room for one more.
    unsafe fn push_unchecked(&mut self, v: T) {
        // SAFETY: the caller promises room for one more, so the place behind the last
        // element is within the memory, and holds no value.
        unsafe { self.ptr.add(self.len).write(v) };
        self.len += 1;
    }

    /// Takes the last element.
    pub fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        // SAFETY: it was valid, and now is no longer the vector's.
        Some(unsafe { self.ptr.add(self.len).read() })
    }

    /// Puts an element before the one at `index`, if there is room.
    pub fn insert_within_capacity(
        &mut self,
        index: usize,
        element: T,
    ) -> Result<(), InsertError<T>> {
        if index > self.len {
            return Err(InsertError::IndexOutOfBounds(element));
        }
        if self.len >= self.capacity() {
            return Err(InsertError::OutOfCapacity(element));
        }
        // SAFETY: `index` is within the elements, and there is room for one.
        unsafe {
            let at = self.ptr.add(index);
            at.copy_to(at.add(1), self.len - index);
            at.write(element);
        }
        self.len += 1;
        Ok(())
    }

    /// Takes the element at `index`; those behind it move up.
    pub fn remove(&mut self, i: usize) -> Result<T, RemoveError> {
        if i >= self.len {
            return Err(RemoveError);
        }
        self.len -= 1;
        // SAFETY: `i` was within the elements; the hole is closed.
        unsafe {
            let at = self.ptr.add(i);
            let value = at.read();
            at.copy_from(at.add(1), self.len - i);
            Ok(value)
        }
    }

    /// Drops all but the first `len` elements.
    pub fn truncate(&mut self, len: usize) {
        if let Some(count) = self.len.checked_sub(len) {
            self.len = len;
            // SAFETY: these were valid, and are no longer the vector's.
            unsafe {
                let tail = self.ptr.add(len);
                ptr::slice_from_raw_parts_mut(tail.as_ptr(), count).drop_in_place();
            }
        }
    }

    /// Drops all elements and keeps the memory.
    #[inline]
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Takes all elements, one by one; those not taken are dropped. The memory
    /// stays.
    pub fn drain_all(&mut self) -> DrainAll<'_, T> {
        let len = core::mem::take(&mut self.len);
        let elements = Elements {
            next: self.ptr,
            remaining: len,
            _owns: PhantomData,
        };
        DrainAll(elements, PhantomData)
    }

    /// Keeps the elements for which `f` says so.
    pub fn retain(&mut self, mut f: impl FnMut(&mut T) -> bool) {
        let mut kept = 0;
        for i in 0..self.len {
            let keep = match self.get_mut(i) {
                Some(element) => f(element),
                None => false,
            };
            if keep {
                self.swap(kept, i);
                kept += 1;
            }
        }
        self.truncate(kept);
    }

    /// Appends `n` clones of `value`.
    ///
    /// Context: what `flags` say: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it may
    /// be in any context but NMIs.
    pub fn extend_with(&mut self, n: usize, value: T, flags: Flags) -> Result<(), AllocError>
    where
        T: Clone,
    {
        if n == 0 {
            return Ok(());
        }
        self.reserve(n, flags)?;
        for _ in 1..n {
            // SAFETY: `reserve` made room for `n`, of which the loop fills `n - 1`.
            unsafe { self.push_unchecked(value.clone()) };
        }
        // SAFETY: `reserve` made room for `n`, of which the loop filled `n - 1`.
        unsafe { self.push_unchecked(value) };
        Ok(())
    }

    /// Appends clones of the elements of `other`.
    ///
    /// Context: what `flags` say: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it may
    /// be in any context but NMIs.
    pub fn extend_from_slice(&mut self, other: &[T], flags: Flags) -> Result<(), AllocError>
    where
        T: Clone,
    {
        self.reserve(other.len(), flags)?;
        for element in other {
            // SAFETY: there is room for all of them.
            unsafe { self.push_unchecked(element.clone()) };
        }
        Ok(())
    }

    /// Makes the length `new_len`, by dropping elements or appending clones.
    pub fn resize(&mut self, new_len: usize, value: T, flags: Flags) -> Result<(), AllocError>
    where
        T: Clone,
    {
        match new_len.checked_sub(self.len) {
            Some(n) => self.extend_with(n, value, flags),
            None => {
                self.truncate(new_len);
                Ok(())
            }
        }
    }
}

impl<T, A: Allocator, const N: usize> From<Box<[T; N], A>> for Vec<T, A> {
    fn from(b: Box<[T; N], A>) -> Self {
        let ptr = Box::into_raw(b).cast::<T>();
        Self {
            // SAFETY: a box is never null.
            ptr: unsafe { NonNull::new_unchecked(ptr) },
            cap: N,
            len: N,
            _owns: PhantomData,
        }
    }
}

impl<T, A: Allocator> Deref for Vec<T, A> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: by the type's invariant these are valid.
        unsafe { core::slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }
}

impl<T, A: Allocator> DerefMut for Vec<T, A> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: by the type's invariant these are valid.
        unsafe { core::slice::from_raw_parts_mut(self.ptr.as_ptr(), self.len) }
    }
}

impl<T: fmt::Debug, A: Allocator> fmt::Debug for Vec<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: PartialEq, A: Allocator, U: AsRef<[T]> + ?Sized> PartialEq<U> for Vec<T, A> {
    #[inline]
    fn eq(&self, other: &U) -> bool {
        **self == *other.as_ref()
    }
}

impl<T, A: Allocator> AsRef<[T]> for Vec<T, A> {
    #[inline]
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<'a, T, A: Allocator> IntoIterator for &'a Vec<T, A> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;
    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T, A: Allocator> IntoIterator for &'a mut Vec<T, A> {
    type Item = &'a mut T;
    type IntoIter = core::slice::IterMut<'a, T>;
    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<T, A: Allocator> Drop for Vec<T, A> {
    fn drop(&mut self) {
        self.clear();
        let layout = self.layout();
        if layout.size() != 0 {
            // SAFETY: by the type's invariant the memory is of `A`, with this
            // layout.
            unsafe { A::free(self.ptr.cast(), layout) };
        }
    }
}

/// Elements that are taken one by one; the rest is dropped.
///
/// # Invariants
///
/// `left` elements at `next` are valid, and nobody else's.
struct Elements<T> {
    next: NonNull<T>,
    remaining: usize,
    _owns: PhantomData<T>,
}

// SAFETY: by the type's invariant the elements are its own, as those of an array.
unsafe impl<T: Send> Send for Elements<T> {}
// SAFETY: by a shared reference it gives their number only.
unsafe impl<T: Sync> Sync for Elements<T> {}

impl<T> Iterator for Elements<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.remaining = self.remaining.checked_sub(1)?;
        let at = self.next;
        // SAFETY: there was one left, so the next address is still within the
        // memory or at its end.
        self.next = unsafe { at.add(1) };
        // SAFETY: by the type's invariant it is valid, and now passed by.
        Some(unsafe { at.read() })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl<T> Drop for Elements<T> {
    #[inline]
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

/// What [`Vec::drain_all`] returns.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// let mut v: KVec<u8> = KVec::new();
/// for element in v.drain_all() {
///     drop(element);
/// }
/// ```
pub struct DrainAll<'a, T>(Elements<T>, PhantomData<&'a mut [T]>);

impl<T> Iterator for DrainAll<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.0.next()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

/// A vector's elements, one by one, owned.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// let v: KVec<u8> = KVec::new();
/// for element in v {
///     drop(element);
/// }
/// ```
pub struct IntoIter<T, A: Allocator> {
    // Dropped before the memory below is freed.
    elements: Elements<T>,
    _memory: Memory<T, A>,
}

/// A vector's memory, without elements.
struct Memory<T, A: Allocator>(NonNull<T>, Layout, PhantomData<A>);

// SAFETY: it holds no `T`, and may be freed by another thread than the one which
// allocated it.
unsafe impl<T, A: Allocator> Send for Memory<T, A> {}
// SAFETY: by a shared reference it gives nothing.
unsafe impl<T, A: Allocator> Sync for Memory<T, A> {}

impl<T, A: Allocator> Drop for Memory<T, A> {
    fn drop(&mut self) {
        if self.1.size() != 0 {
            // SAFETY: `free` wants memory of `A` with the layout that it was allocated
            // with, once: it is the vector's, which was taken apart for this value.
            unsafe { A::free(self.0.cast(), self.1) };
        }
    }
}

impl<T, A: Allocator> IntoIterator for Vec<T, A> {
    type Item = T;
    type IntoIter = IntoIter<T, A>;

    fn into_iter(self) -> IntoIter<T, A> {
        let v = ManuallyDrop::new(self);
        IntoIter {
            elements: Elements {
                next: v.ptr,
                remaining: v.len,
                _owns: PhantomData,
            },
            _memory: Memory(v.ptr, v.layout(), PhantomData),
        }
    }
}

impl<T, A: Allocator> Iterator for IntoIter<T, A> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.elements.next()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.elements.size_hint()
    }
}

/// Makes a [`KVec`] of the given elements, or of `n` clones of one.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// fn make() -> Result<KVec<u32>> {
///     let zeroes: KVec<u32> = kernel::kvec![0; 10]?;
///     drop(zeroes);
///     Ok(kernel::kvec![1, 2, 3]?)
/// }
/// ```
#[macro_export]
macro_rules! kvec {
    () => (
        $crate::__core::result::Result::<_, $crate::alloc::AllocError>::Ok($crate::alloc::KVec::new())
    );
    ($elem:expr; $n:expr) => (
        $crate::alloc::KVec::from_elem($elem, $n, $crate::alloc::flags::GFP_KERNEL)
    );
    ($($x:expr),+ $(,)?) => (
        match $crate::alloc::KBox::<_>::new([$($x),+], $crate::alloc::flags::GFP_KERNEL) {
            $crate::__core::result::Result::Ok(b) => {
                $crate::__core::result::Result::Ok($crate::alloc::KVec::from(b))
            }
            $crate::__core::result::Result::Err(e) => $crate::__core::result::Result::Err(e),
        }
    );
}
