// SPDX-License-Identifier: GPL-2.0-only

//! Vectors: contiguous arrays that can grow.

mod capacity;
pub(super) mod errors;
pub(super) mod iter;
mod macros;
mod raw;

use self::errors::{InsertError, PushError, RemoveError};
use super::allocator::{AllocError, Allocator, KVmalloc, Kmalloc, Vmalloc};
use super::gfp::Flags;
use super::kbox::Box;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::{self, NonNull};

/// A contiguous array in an allocation of the kernel, which can grow.
///
/// Only the methods that take [`Flags`] allocate.
///
/// # Invariants
///
/// The first `len` of `cap` elements at `ptr` are valid, and the memory is an allocation of `A` for
/// `cap` elements. If `cap` or the size of an element is 0, there is no allocation, and `ptr` is
/// dangling and aligned.
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

// SAFETY: a vector owns its elements as an array does, and any thread may free memory that another
// one allocated.
unsafe impl<T: Send, A: Allocator> Send for Vec<T, A> {}
// SAFETY: a shared reference to a vector gives only shared access to its elements.
unsafe impl<T: Sync, A: Allocator> Sync for Vec<T, A> {}

impl<T, A: Allocator> Default for Vec<T, A> {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl<T, A: Allocator> Vec<T, A> {
    /// Creates an empty vector, which allocates nothing.
    #[inline]
    pub const fn new() -> Self {
        Self {
            // INVARIANT: there is no allocation, so the pointer is dangling and aligned, and there
            // are no elements.
            ptr: NonNull::dangling(),
            cap: 0,
            len: 0,
            _owns: PhantomData,
        }
    }

    /// Creates an empty vector with space for `capacity` elements.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory.
    #[inline]
    pub fn with_capacity(capacity: usize, flags: Flags) -> Result<Self, AllocError> {
        let mut v = Self::new();
        if capacity > v.capacity() {
            v.set_capacity(capacity, flags)?;
        }
        Ok(v)
    }

    /// Creates a vector of `n` clones of `value`.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory.
    pub fn from_elem(value: T, n: usize, flags: Flags) -> Result<Self, AllocError>
    where
        T: Clone,
    {
        let mut v = Self::with_capacity(n, flags)?;
        v.extend_with(n, value, flags)?;
        Ok(v)
    }

    /// Returns the number of elements that fit without another allocation.
    #[inline]
    pub const fn capacity(&self) -> usize {
        if size_of::<T>() == 0 {
            usize::MAX
        } else {
            self.cap
        }
    }

    /// Returns the number of elements.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are no elements.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns a slice of the elements.
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        self
    }

    /// Returns a mutable slice of the elements.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self
    }

    /// Returns the address of the first element.
    #[inline]
    pub const fn as_ptr(&self) -> *const T {
        self.ptr.as_ptr()
    }

    /// Returns the address of the first element, for writing.
    #[inline]
    pub const fn as_mut_ptr(&mut self) -> *mut T {
        self.ptr.as_ptr()
    }

    /// Sets the number of elements.
    ///
    /// # Safety
    ///
    /// `new_len` must not be larger than the capacity, and the first `new_len` elements must be
    /// valid.
    #[inline]
    pub unsafe fn set_len(&mut self, new_len: usize) {
        self.len = new_len;
    }

    /// Appends an element.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory; the element is dropped then.
    #[inline]
    pub fn push(&mut self, v: T, flags: Flags) -> Result<(), AllocError> {
        self.reserve(1, flags)?;
        // SAFETY: `reserve` made space for one more element.
        unsafe { self.push_unchecked(v) };
        Ok(())
    }

    /// Appends an element if there is capacity.
    ///
    /// Context: any; it allocates nothing.
    ///
    /// # Errors
    ///
    /// [`PushError`] with the element if there is no capacity left.
    #[inline]
    pub fn push_within_capacity(&mut self, v: T) -> Result<(), PushError<T>> {
        if self.len >= self.capacity() {
            return Err(PushError(v));
        }
        // SAFETY: there is capacity for one more element, as was just checked.
        unsafe { self.push_unchecked(v) };
        Ok(())
    }

    /// Appends an element.
    ///
    /// # Safety
    ///
    /// The capacity must be larger than the number of elements.
    #[inline]
    unsafe fn push_unchecked(&mut self, v: T) {
        // SAFETY: by this function's contract there is capacity for one more element, so the
        // address after the last one is within the memory, and holds no value.
        unsafe { self.ptr.add(self.len).write(v) };
        self.len += 1;
    }

    /// Removes the last element, and returns it.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        // SAFETY: by the type's invariant the element is valid, and the vector does not count it
        // any more.
        Some(unsafe { self.ptr.add(self.len).read() })
    }

    /// Inserts an element before the one at `index` if there is capacity.
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
        // SAFETY: `index` is at most the number of elements, and there is capacity for one more.
        unsafe {
            let at = self.ptr.add(index);
            at.copy_to(at.add(1), self.len - index);
            at.write(element);
        }
        self.len += 1;
        Ok(())
    }

    /// Removes the element at `index`, and returns it; those after it move up.
    pub fn remove(&mut self, i: usize) -> Result<T, RemoveError> {
        if i >= self.len {
            return Err(RemoveError);
        }
        self.len -= 1;
        // SAFETY: `i` is the index of an element, whose value is moved out and whose place the
        // others fill.
        unsafe {
            let at = self.ptr.add(i);
            let value = at.read();
            at.copy_from(at.add(1), self.len - i);
            Ok(value)
        }
    }

    /// Drops all elements but the first `len`.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        if let Some(count) = self.len.checked_sub(len) {
            self.len = len;
            // SAFETY: by the type's invariant these elements are valid, and the vector does not
            // count them any more.
            unsafe {
                let tail = self.ptr.add(len);
                ptr::slice_from_raw_parts_mut(tail.as_ptr(), count).drop_in_place();
            }
        }
    }

    /// Drops all elements, and keeps the memory.
    #[inline]
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Drops the elements for which `f` returns false.
    pub fn retain(&mut self, mut f: impl FnMut(&mut T) -> bool) {
        let mut kept = 0;
        for i in 0..self.len {
            let keep = match self.get_mut(i) {
                Some(element) => f(element),
                None => false,
            };
            if keep {
                // SAFETY: `kept` is at most `i`, which is less than the number of elements; `swap`
                // takes two pointers to the same one as well.
                unsafe { self.ptr.add(kept).swap(self.ptr.add(i)) };
                kept += 1;
            }
        }
        self.truncate(kept);
    }

    /// Appends `n` clones of `value`.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory; the vector stays as it was.
    pub fn extend_with(&mut self, n: usize, value: T, flags: Flags) -> Result<(), AllocError>
    where
        T: Clone,
    {
        if n == 0 {
            return Ok(());
        }
        self.reserve(n, flags)?;
        for _ in 1..n {
            // SAFETY: `reserve` made space for `n` elements, of which the loop appends `n - 1`.
            unsafe { self.push_unchecked(value.clone()) };
        }
        // SAFETY: `reserve` made space for `n` elements, of which the loop appended `n - 1`.
        unsafe { self.push_unchecked(value) };
        Ok(())
    }

    /// Appends clones of the elements of `other`.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory; the vector stays as it was.
    pub fn extend_from_slice(&mut self, other: &[T], flags: Flags) -> Result<(), AllocError>
    where
        T: Clone,
    {
        self.reserve(other.len(), flags)?;
        // SAFETY: `reserve` made space for all elements of `other` after the old ones.
        let spare = unsafe {
            let end = self.ptr.add(self.len).cast::<core::mem::MaybeUninit<T>>();
            core::slice::from_raw_parts_mut(end.as_ptr(), other.len())
        };
        for (slot, element) in spare.iter_mut().zip(other) {
            slot.write(element.clone());
        }
        // SAFETY: the loop has initialised the `other.len()` elements after the old ones, for which
        // `reserve` made space.
        unsafe { self.set_len(self.len + other.len()) };
        Ok(())
    }

    /// Changes the number of elements, by dropping some or appending clones of `value`.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory; the vector stays as it was.
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
            // INVARIANT: the memory of the box is an allocation for its `N` elements, which are all
            // valid.
            // SAFETY: the pointer of a box is never null.
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
        // SAFETY: by the type's invariant the first `len` elements are valid.
        unsafe { core::slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }
}

impl<T, A: Allocator> DerefMut for Vec<T, A> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: by the type's invariant the first `len` elements are valid and ours.
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

impl<T, A: Allocator> Drop for Vec<T, A> {
    fn drop(&mut self) {
        self.clear();
        let layout = self.layout();
        if layout.size() != 0 {
            // SAFETY: by the type's invariant the memory is of `A`, with the layout for `cap`
            // elements.
            unsafe { A::free(self.ptr.cast(), layout) };
        }
    }
}
