// SPDX-License-Identifier: MIT OR Apache-2.0

//! Memory that waits for a value.

use core::{mem::MaybeUninit, pin::Pin};

use crate::initializer::{Init, PinInit};

/// Smart pointers whose memory can be initialised.
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
    /// The pointer once there is a value.
    type Initialized;

    /// Initialises the memory. The value may move later.
    ///
    /// # Errors
    ///
    /// The initialiser's. The memory is then given up.
    fn write_init<E>(self, init: impl Init<T, E>) -> Result<Self::Initialized, E>;

    /// Initialises the memory with a value that is pinned from then on.
    ///
    /// # Errors
    ///
    /// The initialiser's. The memory is then given up.
    fn write_pin_init<E>(self, init: impl PinInit<T, E>) -> Result<Pin<Self::Initialized>, E>;
}

impl<T> InPlaceWrite<T> for &'static mut MaybeUninit<T> {
    type Initialized = &'static mut T;

    fn write_init<E>(self, init: impl Init<T, E>) -> Result<Self::Initialized, E> {
        // SAFETY: a mutable reference's target is valid, aligned and nobody else's. The
        // old content of a `MaybeUninit` is not dropped.
        unsafe { init.__init(self.as_mut_ptr())? };
        // SAFETY: `__init` returned `Ok`, so there is a value.
        Ok(unsafe { self.assume_init_mut() })
    }

    fn write_pin_init<E>(self, init: impl PinInit<T, E>) -> Result<Pin<Self::Initialized>, E> {
        // SAFETY: a mutable reference's target is valid, aligned and nobody else's. The
        // old content of a `MaybeUninit` is not dropped. It is borrowed for ever and the
        // value is handed out pinned, so it never moves and the memory is never reused.
        unsafe { init.__pinned_init(self.as_mut_ptr())? };
        // SAFETY: `__pinned_init` returned `Ok`, so there is a value.
        Ok(Pin::static_mut(unsafe { self.assume_init_mut() }))
    }
}
