// SPDX-License-Identifier: GPL-2.0-only

//! Initialisers, which build a value in its final place.
//!
//! The implementation is the crate [`mod@pin_init`]. This module connects it to the
//! kernel's allocators and errors.

use crate::alloc::{AllocError, Flags};
use crate::error::{Error, Result as KResult};

#[doc(no_inline)]
pub use pin_init::*;

/// A smart pointer that can build its value in place.
///
/// # Examples
///
/// ```
/// use kernel::{new_mutex, prelude::*, sync::Mutex};
/// fn make() -> Result<Pin<KBox<Mutex<u32>>>> {
///     KBox::pin_init(new_mutex!(5), GFP_KERNEL)
/// }
/// ```
pub trait InPlaceInit<T>: Sized {
    /// The type of the pointer to the pinned value.
    type PinnedSelf;

    /// Allocates and builds a pinned value, and returns the initialiser's own error if that fails.
    fn try_pin_init<E>(init: impl PinInit<T, E>, flags: Flags) -> Result<Self::PinnedSelf, E>
    where
        E: From<AllocError>;

    /// Allocates and builds a pinned value.
    fn pin_init<E>(init: impl PinInit<T, E>, flags: Flags) -> KResult<Self::PinnedSelf>
    where
        Error: From<E>,
    {
        // SAFETY: the closure returns `Ok` if `init` does, which then has initialised the slot;
        // after an error the slot is in the state in which `init` left it, and nobody uses it.
        let init = unsafe {
            pin_init_from_closure(|slot| {
                // SAFETY: the slot is what the closure was given: valid, aligned and unused by
                // anybody else. Only this initialiser gets it.
                init.__pinned_init(slot).map_err(Error::from)
            })
        };
        Self::try_pin_init(init, flags)
    }

    /// Allocates and builds a value, and returns the initialiser's own error if that fails.
    fn try_init<E>(init: impl Init<T, E>, flags: Flags) -> Result<Self, E>
    where
        E: From<AllocError>;

    /// Allocates and builds a value.
    fn init<E>(init: impl Init<T, E>, flags: Flags) -> KResult<Self>
    where
        Error: From<E>,
    {
        // SAFETY: the closure returns `Ok` if `init` does, which then has initialised the slot;
        // after an error the slot is in the state in which `init` left it, and nobody uses it.
        let init = unsafe {
            init_from_closure(|slot| {
                // SAFETY: the slot is what the closure was given: valid, aligned and unused by
                // anybody else. Only this initialiser gets it.
                init.__init(slot).map_err(Error::from)
            })
        };
        Self::try_init(init, flags)
    }
}

/// Creates a fallible initialiser of a struct that is pinned in its place.
///
/// The error type is [`Error`], or the type after `?`.
///
/// # Examples
///
/// ```
/// use kernel::{new_mutex, prelude::*, sync::Mutex};
/// # extern crate kernel as pin_init;
/// #[pin_data]
/// struct Queue {
///     #[pin]
///     items: Mutex<KVec<u32>>,
///     spare: KBox<[u8; 64]>,
/// }
///
/// fn queue() -> impl PinInit<Queue, Error> {
///     try_pin_init!(Queue {
///         items <- new_mutex!(KVec::new()),
///         spare: KBox::new([0; 64], GFP_KERNEL)?,
///     })
/// }
/// ```
#[macro_export]
macro_rules! try_pin_init {
    ($($input:tt)*) => {
        $crate::pin_init!(#[default_error($crate::error::Error)] $($input)*)
    };
}

/// Creates a fallible initialiser of a struct that may move later.
///
/// The error type is [`Error`], or the type after `?`.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// struct Big {
///     page: [u8; 4096],
///     owner: KBox<u32>,
/// }
///
/// fn big() -> impl Init<Big, Error> {
///     try_init!(Big {
///         page <- kernel::init::init_zeroed(),
///         owner: KBox::new(5, GFP_KERNEL)?,
///     })
/// }
/// ```
#[macro_export]
macro_rules! try_init {
    ($($input:tt)*) => {
        $crate::init!(#[default_error($crate::error::Error)] $($input)*)
    };
}
