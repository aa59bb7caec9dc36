// SPDX-License-Identifier: GPL-2.0-only

//! The iterators of vectors.

use super::Vec;
use crate::alloc::allocator::Allocator;
use crate::alloc::gfp::Flags;
use core::alloc::Layout;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;

impl<T, A: Allocator> Vec<T, A> {
    /// Removes all elements, and returns an iterator of them.
    ///
    /// Those that it does not return are dropped; the memory stays.
    pub fn drain_all(&mut self) -> DrainAll<'_, T> {
        let len = core::mem::take(&mut self.len);
        let elements = Elements {
            // INVARIANT: the vector's elements are valid, and the vector does not count them any
            // more.
            next: self.ptr,
            remaining: len,
            _owns: PhantomData,
        };
        DrainAll(elements, PhantomData)
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

/// An iterator that owns a number of elements, and drops those that it did not return.
///
/// # Invariants
///
/// The `remaining` elements from `next` on are valid, and nobody else's.
struct Elements<T> {
    next: NonNull<T>,
    remaining: usize,
    _owns: PhantomData<T>,
}

// SAFETY: by the type's invariant it owns the elements, as an array does.
unsafe impl<T: Send> Send for Elements<T> {}
// SAFETY: a shared reference gives access only to their number.
unsafe impl<T: Sync> Sync for Elements<T> {}

impl<T> Iterator for Elements<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.remaining = self.remaining.checked_sub(1)?;
        let at = self.next;
        // SAFETY: there was an element left, so the next address is within the memory or at its
        // end.
        self.next = unsafe { at.add(1) };
        // SAFETY: by the type's invariant the element is valid, and the iterator does not count it
        // any more.
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

/// The iterator that [`Vec::drain_all`] returns.
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

/// An iterator that owns the elements of a vector.
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
    // Dropped before the memory is freed.
    elements: Elements<T>,
    _memory: Memory<T, A>,
}

/// The memory of a vector, without its elements.
struct Memory<T, A: Allocator>(NonNull<T>, Layout, PhantomData<A>);

// SAFETY: the value contains no `T`, and any thread may free memory that another one allocated.
unsafe impl<T, A: Allocator> Send for Memory<T, A> {}
// SAFETY: a shared reference gives access to nothing.
unsafe impl<T, A: Allocator> Sync for Memory<T, A> {}

impl<T, A: Allocator> Drop for Memory<T, A> {
    fn drop(&mut self) {
        if self.1.size() != 0 {
            // SAFETY: `free` takes memory of `A` with the layout that it was allocated with, once:
            // it is that of the vector, which was taken apart for this value.
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
                // INVARIANT: the vector's elements are valid, and the vector is never used again.
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

impl<T, A: Allocator> IntoIter<T, A> {
    /// Returns a vector of the elements that are left, in the memory of the old one.
    ///
    /// It gives unused memory back if the allocator can do that.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    pub fn collect(self, flags: Flags) -> Vec<T, A> {
        let (elements, memory) = (
            ManuallyDrop::new(self.elements),
            ManuallyDrop::new(self._memory),
        );
        // SAFETY: the elements that are left are valid, in the same memory at or behind its start,
        // and neither the iterator nor the memory's owner is used again.
        unsafe { memory.0.copy_from(elements.next, elements.remaining) };
        let mut v = Vec {
            // INVARIANT: the elements were just moved to the start of the memory, whose layout is
            // that of an array of `cap` elements.
            ptr: memory.0,
            cap: memory.1.size().checked_div(size_of::<T>()).unwrap_or(0),
            len: elements.remaining,
            _owns: PhantomData,
        };
        // If it fails, the memory stays as it is.
        let _ = v.shrink_to(0, flags);
        v
    }
}
