// SPDX-License-Identifier: GPL-2.0-only

//! The allocation of a vector, and how it grows and shrinks.

use super::Vec;
use crate::alloc::allocator::{AllocError, Allocator};
use crate::alloc::gfp::Flags;
use core::alloc::Layout;
use core::ptr::NonNull;

impl<T, A: Allocator> Vec<T, A> {
    /// Reserves space for at least `additional` more elements.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory; the vector stays as it was.
    #[inline]
    pub fn reserve(&mut self, additional: usize, flags: Flags) -> Result<(), AllocError> {
        let needed = self.len.checked_add(additional).ok_or(AllocError)?;
        if needed <= self.capacity() {
            return Ok(());
        }
        let (ptr, element) = (self.ptr.cast(), Layout::new::<T>());
        // SAFETY: by the type's invariant the memory is of `A`, for `cap` elements.
        let (ptr, cap) = unsafe { grow::<A>(ptr, element, self.cap, needed, flags)? };
        (self.ptr, self.cap) = (ptr.cast(), cap);
        Ok(())
    }

    /// Shrinks the capacity to `min_capacity`, but not below the number of elements.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if the allocator cannot do it; the vector is unchanged then.
    pub fn shrink_to(&mut self, min_capacity: usize, flags: Flags) -> Result<(), AllocError> {
        let cap = min_capacity.max(self.len());
        if size_of::<T>() == 0 || cap >= self.capacity() {
            return Ok(());
        }
        self.set_capacity(cap, flags)
    }

    /// Moves the elements to an allocation for `cap` of them, which must not be fewer than there are.
    pub(super) fn set_capacity(&mut self, cap: usize, flags: Flags) -> Result<(), AllocError> {
        let layout = Layout::array::<T>(cap).map_err(|_| AllocError)?;
        let old = self.layout();
        let ptr = (old.size() != 0).then_some(self.ptr.cast());
        // SAFETY: by the type's invariant the memory is of `A`, with the old layout, and both
        // layouts have the alignment of the element.
        self.ptr = unsafe { A::realloc(ptr, layout, old, flags)? }.cast();
        self.cap = cap;
        Ok(())
    }

    #[inline]
    pub(super) fn layout(&self) -> Layout {
        let size = self.cap.wrapping_mul(size_of::<T>());
        // SAFETY: `set_capacity` has checked the layout of this capacity, of which this is the size
        // and the alignment.
        unsafe { Layout::from_size_align_unchecked(size, align_of::<T>()) }
    }
}

/// Moves the elements of a vector to a larger allocation, and returns that and its capacity.
///
/// It takes the parts of the vector, so that a loop which pushes can keep them in registers.
///
/// # Safety
///
/// Unless `cap` elements have no size, `ptr` must come from `A`, with their layout. `needed` must
/// not be less than `cap`.
#[cold]
unsafe fn grow<A: Allocator>(
    ptr: NonNull<u8>,
    element: Layout,
    cap: usize,
    needed: usize,
    flags: Flags,
) -> Result<(NonNull<u8>, usize), AllocError> {
    let layout = |cap: usize| {
        let size = cap.checked_mul(element.size()).ok_or(AllocError)?;
        Layout::from_size_align(size, element.align()).map_err(|_| AllocError)
    };
    let old = layout(cap)?;
    let ptr = (old.size() != 0).then_some(ptr);
    // SAFETY: by this function's contract the memory is of `A`, with the old layout, and both
    // layouts have the alignment of the element.
    let moved = |cap| unsafe { A::realloc(ptr, layout(cap)?, old, flags) };
    // The capacity at least doubles, so that many pushes cost few allocations.
    let twice = needed.max(cap.saturating_mul(2));
    match moved(twice) {
        Ok(memory) => Ok((memory.cast(), twice)),
        Err(AllocError) => Ok((moved(needed)?.cast(), needed)),
    }
}
