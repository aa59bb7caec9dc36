// SPDX-License-Identifier: GPL-2.0-only

//! Formatting.
//!
//! [`fmt!`](crate::fmt!) makes the [`Arguments`] that the rest of the crate takes, and wraps each
//! argument in an [`Adapter`], so that the kernel's types may display otherwise
//! than core would.

pub use core::fmt::{
    Alignment, Arguments, Binary, Debug, Error, Formatter, LowerExp, LowerHex, Octal, Pointer,
    Result, UpperExp, UpperHex, Write,
};

/// What `{}` prints of a value inside [`fmt!`](crate::fmt!).
///
/// Types have it through [`core::fmt::Display`].
///
/// # Examples
///
/// ```
/// fn shown<T: kernel::fmt::Display>(_: &T) {}
/// shown(&5);
/// ```
pub trait Display {
    /// Formats the value.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result;
}

impl<T: core::fmt::Display + ?Sized> Display for T {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        core::fmt::Display::fmt(self, f)
    }
}

/// What [`fmt!`](crate::fmt!) wraps its arguments in.
///
/// # Examples
///
/// ```
/// let args = kernel::fmt!("{}", kernel::fmt::Adapter(5));
/// # let _ = args;
/// ```
pub struct Adapter<T>(pub T);

macro_rules! forward {
    ($($trait:ident),*) => {$(
        impl<T: $trait> $trait for Adapter<T> {
            fn fmt(&self, f: &mut Formatter<'_>) -> Result {
                self.0.fmt(f)
            }
        }
    )*};
}
forward!(Debug, LowerHex, UpperHex, Octal, Binary, Pointer, LowerExp, UpperExp);

impl<T: Display> core::fmt::Display for Adapter<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        Display::fmt(&self.0, f)
    }
}
