// SPDX-License-Identifier: GPL-2.0-only

//! The errors of vectors' methods that allocate nothing.

use crate::error::{code::EINVAL, Error};
use core::fmt;

/// The error of [`Vec::push_within_capacity`](super::Vec::push_within_capacity), which contains the element: there is no capacity
/// left.
///
/// It converts to `EINVAL`.
///
/// # Examples
///
/// ```
/// let full = kernel::alloc::PushError(5u8);
/// let element = full.0;
/// # let _ = element;
/// ```
pub struct PushError<T>(pub T);

/// The error of [`Vec::insert_within_capacity`](super::Vec::insert_within_capacity), which contains the element.
///
/// It converts to `EINVAL`.
///
/// # Examples
///
/// ```
/// let error = kernel::alloc::InsertError::OutOfCapacity(5u8);
/// let errno = kernel::Error::from(error);
/// # let _ = errno;
/// ```
pub enum InsertError<T> {
    /// The index is beyond the end.
    IndexOutOfBounds(T),
    /// There is no capacity left.
    OutOfCapacity(T),
}

/// The error of [`Vec::remove`](super::Vec::remove): the index is not that of an element.
///
/// It converts to `EINVAL`.
///
/// # Examples
///
/// ```
/// let errno = kernel::Error::from(kernel::alloc::RemoveError);
/// # let _ = errno;
/// ```
pub struct RemoveError;

macro_rules! errors {
    ($($name:ident $(<$t:ident>)? $text:literal),*) => {$(
        impl$(<$t>)? fmt::Debug for $name$(<$t>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($text)
            }
        }

        impl$(<$t>)? From<$name$(<$t>)?> for Error {
            #[inline]
            fn from(_: $name$(<$t>)?) -> Error {
                EINVAL
            }
        }
    )*};
}
errors!(PushError<T> "no capacity", InsertError<T> "bad index or no capacity", RemoveError "bad index");
