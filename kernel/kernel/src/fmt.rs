// SPDX-License-Identifier: GPL-2.0-only

//! Formatting.
//!
//! [`fmt!`](crate::fmt!) creates the [`Arguments`] that the rest of the crate takes. It wraps each
//! argument in an [`Adapter`], so that the kernel's types may be displayed differently from core.
//!
//! # Addresses
//!
//! `{:p}` of a pointer or reference prints what C's `%p` prints: a hash of the address, so that the
//! log does not reveal where the kernel's memory is. `{:?}` of a raw pointer or a `NonNull`, also
//! as a field of a type that derives `Debug`, and integers converted from a pointer print the plain
//! address: use them for debugging only.

pub use core::fmt::{
    Alignment, Arguments, Binary, Debug, Error, Formatter, LowerExp, LowerHex, Octal, Pointer,
    Result, UpperExp, UpperHex, Write,
};

/// The formatting that `{}` means in [`fmt!`](crate::fmt!).
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

/// The type that [`fmt!`](crate::fmt!) wraps its arguments in.
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
forward!(Debug, LowerHex, UpperHex, Octal, Binary, LowerExp, UpperExp);

/// Prints the address as C's `%p` does: as a hash that stands for it until the next boot.
impl<T: Pointer> Pointer for Adapter<&T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut text = AddressDigits::default();
        // This is the plain form, because `f` may have a width and other options.
        write!(text, "{:p}", *self.0)?;
        let digits = text.get().trim_start_matches("0x");
        let address = usize::from_str_radix(digits, 16).map_err(|_| Error)?;
        let mut hashed = AddressDigits::default();
        // SAFETY: the function writes at most as many bytes as it is told, which is the length of
        // `bytes`, and returns how many it wrote. It does not dereference the address.
        hashed.len = unsafe {
            crate::bindings::koru_hash_pointer(
                hashed.bytes.as_mut_ptr(),
                hashed.bytes.len(),
                address,
            )
        };
        f.pad(hashed.get())
    }
}

/// A buffer for the digits of an address.
#[derive(Default)]
struct AddressDigits {
    bytes: [u8; 32],
    len: usize,
}

impl AddressDigits {
    fn get(&self) -> &str {
        let text = self.bytes.get(..self.len).unwrap_or_default();
        core::str::from_utf8(text).unwrap_or_default()
    }
}

impl Write for AddressDigits {
    fn write_str(&mut self, s: &str) -> Result {
        let end = self.len + s.len();
        let free = self.bytes.get_mut(self.len..end).ok_or(Error)?;
        free.copy_from_slice(s.as_bytes());
        self.len = end;
        Ok(())
    }
}

impl<T: Display> core::fmt::Display for Adapter<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        Display::fmt(&self.0, f)
    }
}
