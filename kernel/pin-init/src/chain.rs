// SPDX-License-Identifier: MIT OR Apache-2.0

//! Initialisers that run a function afterwards.

use core::{mem::forget, pin::Pin};

use crate::{
    __internal::Slot,
    initializer::{ChainInit, ChainPinInit, Init, PinInit},
    pin_data::{Pinned, Unpinned},
};

// SAFETY: this returns `Ok` only after the inner initialiser did. If the function fails or panics,
// the guard drops the value.
unsafe impl<T: ?Sized, E, I, F> PinInit<T, E> for ChainPinInit<I, F, T, E>
where
    I: PinInit<T, E>,
    F: FnOnce(Pin<&mut T>) -> Result<(), E>,
{
    unsafe fn __pinned_init(self, slot: *mut T) -> Result<(), E> {
        // SAFETY: by the contract of `__pinned_init` the slot is valid and aligned, nobody else
        // uses it, and it is pinned once it holds a value.
        let slot = unsafe { Slot::new(Pinned, slot) };
        let mut guard = slot.init(self.init)?;
        (self.then)(guard.get())?;
        forget(guard);
        Ok(())
    }
}

// SAFETY: this returns `Ok` only after the inner initialiser did. If the function fails or panics,
// the guard drops the value. Nothing relies on the place of the value.
unsafe impl<T: ?Sized, E, I, F> Init<T, E> for ChainInit<I, F, T, E>
where
    I: Init<T, E>,
    F: FnOnce(&mut T) -> Result<(), E>,
{
    unsafe fn __init(self, slot: *mut T) -> Result<(), E> {
        // SAFETY: by the contract of `__init` the slot is valid and aligned, and nobody else uses
        // it.
        let slot = unsafe { Slot::new(Unpinned, slot) };
        let mut guard = slot.init(self.init)?;
        (self.then)(guard.get())?;
        forget(guard);
        Ok(())
    }
}

// SAFETY: `__pinned_init` does what `__init` does, which meets the stricter requirements.
unsafe impl<T: ?Sized, E, I, F> PinInit<T, E> for ChainInit<I, F, T, E>
where
    I: Init<T, E>,
    F: FnOnce(&mut T) -> Result<(), E>,
{
    unsafe fn __pinned_init(self, slot: *mut T) -> Result<(), E> {
        // SAFETY: by the contract of `__pinned_init` the slot is valid and aligned, and nobody else
        // uses it.
        unsafe { self.__init(slot) }
    }
}
