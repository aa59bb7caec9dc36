// SPDX-License-Identifier: GPL-2.0-only

//! The parts and the memory of a vector.

use super::Vec;
use crate::alloc::allocator::{AllocError, Allocator};
use crate::alloc::gfp::Flags;
use crate::alloc::kbox::Box;
use core::borrow::{Borrow, BorrowMut};
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::pin::Pin;
use core::ptr::NonNull;
use pin_init::PinInit;

impl<T, A: Allocator> Vec<T, A> {
    /// Returns the vector as its pointer, its length and its capacity, which own the elements.
    #[inline]
    pub fn into_raw_parts(self) -> (*mut T, usize, usize) {
        let mut this = ManuallyDrop::new(self);
        (this.as_mut_ptr(), this.len(), this.capacity())
    }

    /// Creates a vector from what [`Self::into_raw_parts`] returned.
    ///
    /// # Safety
    ///
    /// The arguments must come from `into_raw_parts` of the same type, or describe an allocation of
    /// `A` for `capacity` elements, of which the first `length` are valid; `ptr` must be aligned and
    /// not null. Nobody else may own them.
    #[inline]
    pub unsafe fn from_raw_parts(ptr: *mut T, length: usize, capacity: usize) -> Self {
        Self {
            // INVARIANT: this function's contract is the type's invariant. There is no allocation
            // for elements without a size, whatever the capacity says.
            // SAFETY: by this function's contract the pointer is not null.
            ptr: unsafe { NonNull::new_unchecked(ptr) },
            cap: if size_of::<T>() == 0 { 0 } else { capacity },
            len: length,
            _owns: PhantomData,
        }
    }

    /// Returns the memory behind the elements, up to the capacity.
    #[inline]
    pub fn spare_capacity_mut(&mut self) -> &mut [MaybeUninit<T>] {
        let (len, capacity) = (self.len(), self.capacity());
        // SAFETY: by the type's invariant there is memory for `capacity` elements, or elements have
        // no size; it is borrowed mutably as the vector is. A `MaybeUninit` needs no value.
        unsafe {
            core::slice::from_raw_parts_mut(self.as_mut_ptr().add(len).cast(), capacity - len)
        }
    }
}

impl<T, A: Allocator> Box<T, A> {
    /// Allocates an array of `len` values, which `init` initialises in their places, and pins it.
    ///
    /// `init` gets the index of the value. If one fails, those before it are dropped.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// The error of an initialiser, or [`AllocError`] if there is no memory.
    pub fn pin_slice<I, E>(
        mut init: impl FnMut(usize) -> I,
        len: usize,
        flags: Flags,
    ) -> Result<Pin<Box<[T], A>>, E>
    where
        I: PinInit<T, E>,
        E: From<AllocError>,
    {
        let mut elements = Vec::<T, A>::with_capacity(len, flags)?;
        for index in 0..len {
            let slot = elements.spare_capacity_mut().as_mut_ptr().cast::<T>();
            // SAFETY: the slot is within the capacity of `len` elements, and holds no value. The
            // vector is neither moved nor changed but at its end, so the values before stay in
            // their places, up to the drop of the vector or of the box.
            unsafe { init(index).__pinned_init(slot)? };
            // SAFETY: the initialiser succeeded, so one more element is valid.
            unsafe { elements.set_len(index + 1) };
        }
        let (ptr, len, _) = elements.into_raw_parts();
        let slice = core::ptr::slice_from_raw_parts_mut(ptr, len);
        // SAFETY: the memory is an allocation of `A` for exactly `len` elements, or none if that is
        // 0 or they have no size, as that of a box is. Nobody else owns it.
        Ok(unsafe { Box::from_raw(slice) }.into())
    }
}

impl<T, A: Allocator> AsRef<[T]> for Vec<T, A> {
    #[inline]
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<T, A: Allocator> Borrow<[T]> for Vec<T, A> {
    #[inline]
    fn borrow(&self) -> &[T] {
        self
    }
}

impl<T, A: Allocator> BorrowMut<[T]> for Vec<T, A> {
    #[inline]
    fn borrow_mut(&mut self) -> &mut [T] {
        self
    }
}
