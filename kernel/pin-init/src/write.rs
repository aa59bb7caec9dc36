// SPDX-License-Identifier: MIT OR Apache-2.0

//! Initialising memory that exists already.

use core::{mem::MaybeUninit, pin::Pin};

use crate::initializer::{Init, PinInit};

/// A smart pointer whose memory can be initialised.
///
/// # Examples
///
/// ```
/// use core::mem::MaybeUninit;
/// use pin_init::{init_zeroed, InPlaceWrite};
///
/// let place: &'static mut MaybeUninit<[u8; 64]> = Box::leak(Box::new(MaybeUninit::uninit()));
/// let Ok(bytes) = place.write_init(init_zeroed());
/// assert_eq!(bytes[63], 0);
/// ```
pub trait InPlaceWrite<T> {
    /// The type of the pointer to the initialised value.
    type Initialized;

    /// Initialises the memory with a value that may move later.
    ///
    /// # Errors
    ///
    /// The error of the initialiser. The memory is given up then.
    fn write_init<E>(self, init: impl Init<T, E>) -> Result<Self::Initialized, E>;

    /// Initialises the memory with a value that is pinned from then on.
    ///
    /// # Errors
    ///
    /// The error of the initialiser. The memory is given up then.
    fn write_pin_init<E>(self, init: impl PinInit<T, E>) -> Result<Pin<Self::Initialized>, E>;
}

impl<T> InPlaceWrite<T> for &'static mut MaybeUninit<T> {
    type Initialized = &'static mut T;

    fn write_init<E>(self, init: impl Init<T, E>) -> Result<Self::Initialized, E> {
        // SAFETY: the target of a mutable reference is valid and aligned, and nobody else uses it.
        // The old content of a `MaybeUninit` is not dropped.
        unsafe { init.__init(self.as_mut_ptr())? };
        // SAFETY: `__init` returned `Ok`, so there is a value.
        Ok(unsafe { self.assume_init_mut() })
    }

    fn write_pin_init<E>(self, init: impl PinInit<T, E>) -> Result<Pin<Self::Initialized>, E> {
        // SAFETY: the target of a mutable reference is valid and aligned, and nobody else uses it.
        // The old content of a `MaybeUninit` is not dropped. The memory is borrowed for ever and
        // the value is returned pinned, so it never moves and the memory is never reused.
        unsafe { init.__pinned_init(self.as_mut_ptr())? };
        // SAFETY: `__pinned_init` returned `Ok`, so there is a value.
        Ok(Pin::static_mut(unsafe { self.assume_init_mut() }))
    }
}
