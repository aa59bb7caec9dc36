// SPDX-License-Identifier: MIT OR Apache-2.0

//! An initialiser with something to do afterwards.

use core::{mem::forget, pin::Pin};

use crate::{
    __internal::Slot,
    initializer::{ChainInit, ChainPinInit, Init, PinInit},
    pin_data::{Pinned, Unpinned},
};

// SAFETY: `Ok` comes after the inner initialiser's `Ok`. When the function fails or
// panics, the guard drops the value.
unsafe impl<T: ?Sized, E, I, F> PinInit<T, E> for ChainPinInit<I, F, T, E>
where
    I: PinInit<T, E>,
    F: FnOnce(Pin<&mut T>) -> Result<(), E>,
{
    unsafe fn __pinned_init(self, slot: *mut T) -> Result<(), E> {
        // SAFETY: the caller promises that the slot is valid, aligned, nobody else's, and
        // pinned once it holds a value.
        let slot = unsafe { Slot::new(Pinned, slot) };
        let mut guard = slot.init(self.init)?;
        (self.then)(guard.get())?;
        forget(guard);
        Ok(())
    }
}

// SAFETY: `Ok` comes after the inner initialiser's `Ok`. When the function fails or
// panics, the guard drops the value. Nothing relies on its place.
unsafe impl<T: ?Sized, E, I, F> Init<T, E> for ChainInit<I, F, T, E>
where
    I: Init<T, E>,
    F: FnOnce(&mut T) -> Result<(), E>,
{
    unsafe fn __init(self, slot: *mut T) -> Result<(), E> {
        // SAFETY: the caller promises that the slot is valid, aligned and nobody else's.
        let slot = unsafe { Slot::new(Unpinned, slot) };
        let mut guard = slot.init(self.init)?;
        (self.then)(guard.get())?;
        forget(guard);
        Ok(())
    }
}

// SAFETY: it is `__init`.
unsafe impl<T: ?Sized, E, I, F> PinInit<T, E> for ChainInit<I, F, T, E>
where
    I: Init<T, E>,
    F: FnOnce(&mut T) -> Result<(), E>,
{
    unsafe fn __pinned_init(self, slot: *mut T) -> Result<(), E> {
        // SAFETY: the caller promises that the slot is valid, aligned and nobody else's.
        unsafe { self.__init(slot) }
    }
}
