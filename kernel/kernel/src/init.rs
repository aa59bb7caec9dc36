// SPDX-License-Identifier: GPL-2.0-only

//! Values that are built in their final place.
//!
//! The machinery is the crate [`mod@pin_init`]. What is here ties it to the
//! kernel's allocators and errors.

use crate::alloc::{AllocError, Flags};
use crate::error::{Error, Result as KResult};

#[doc(no_inline)]
pub use pin_init::*;

/// Smart pointers that can build their value in place.
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
    /// What the pointer is once the value is pinned.
    type PinnedSelf;

    /// Builds a pinned value; the initialiser's error is the caller's.
    fn try_pin_init<E>(init: impl PinInit<T, E>, flags: Flags) -> Result<Self::PinnedSelf, E>
    where
        E: From<AllocError>;

    /// Builds a pinned value.
    fn pin_init<E>(init: impl PinInit<T, E>, flags: Flags) -> KResult<Self::PinnedSelf>
    where
        Error: From<E>,
    {
        // SAFETY: the closure returns `Ok` when `init` does, which then has initialised the
        // slot; after its error the slot is left as `init` leaves it, for nobody to use.
        let init = unsafe {
            pin_init_from_closure(|slot| {
                // SAFETY: the slot is as the closure got it: valid, aligned and nobody else's.
                // It goes to this one initialiser.
                init.__pinned_init(slot).map_err(Error::from)
            })
        };
        Self::try_pin_init(init, flags)
    }

    /// Builds a value; the initialiser's error is the caller's.
    fn try_init<E>(init: impl Init<T, E>, flags: Flags) -> Result<Self, E>
    where
        E: From<AllocError>;

    /// Builds a value.
    fn init<E>(init: impl Init<T, E>, flags: Flags) -> KResult<Self>
    where
        Error: From<E>,
    {
        // SAFETY: the closure returns `Ok` when `init` does, which then has initialised the
        // slot; after its error the slot is left as `init` leaves it, for nobody to use.
        let init = unsafe {
            init_from_closure(|slot| {
                // SAFETY: the slot is as the closure got it: valid, aligned and nobody else's.
                // It goes to this one initialiser.
                init.__init(slot).map_err(Error::from)
            })
        };
        Self::try_init(init, flags)
    }
}

/// Makes a fallible initialiser of a struct that stays in its place.
///
/// The error is [`Error`], or what stands after `?`.
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

/// Makes a fallible initialiser of a struct that may move later.
///
/// The error is [`Error`], or what stands after `?`.
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
