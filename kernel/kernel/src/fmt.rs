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

/// The formatting that `{}` means in [`fmt!`](crate::fmt!) and in the macros that print.
///
/// A type needs this trait or [`core::fmt::Display`]; if it has both, `{}` means the one of core.
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// use kernel::{fmt, prelude::*};
///
/// struct Celsius(i32);
///
/// impl fmt::Display for Celsius {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         write!(f, "{} degrees", self.0)
///     }
/// }
///
/// fn tell(now: &Celsius) {
///     pr_info!("it has {now}\n");
/// }
/// # fn main() {}
/// ```
pub trait Display {
    /// Formats the value.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result;
}

/// Lets types have the formatting that they have in core.
macro_rules! display_as_core {
    ($($ty:ty),* $(,)?) => {$(
        impl Display for $ty {
            #[inline]
            fn fmt(&self, f: &mut Formatter<'_>) -> Result {
                core::fmt::Display::fmt(self, f)
            }
        }
    )*};
}
display_as_core!(
    bool,
    char,
    str,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    Arguments<'_>,
    core::num::ParseIntError,
    core::num::TryFromIntError,
    core::panic::Location<'_>,
    core::panic::PanicInfo<'_>,
    core::str::Utf8Error,
);

impl<T: Display + ?Sized> Display for &T {
    #[inline]
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        T::fmt(self, f)
    }
}

impl<T: Display + ?Sized> Display for &mut T {
    #[inline]
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        T::fmt(self, f)
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

impl<T: core::fmt::Display> core::fmt::Display for Adapter<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.0.fmt(f)
    }
}

/// A value whose formatting by `{}` is the kernel's [`Display`], as one that core's traits know.
#[doc(hidden)]
pub struct ByKernel<T>(T);

impl<T: Display> core::fmt::Display for ByKernel<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.0.fmt(f)
    }
}

impl<T: Pointer> Pointer for Adapter<ByKernel<&T>> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        Adapter(self.0 .0).fmt(f)
    }
}

macro_rules! forward_by_kernel {
    ($($trait:ident),*) => {$(
        impl<T: $trait> $trait for ByKernel<T> {
            fn fmt(&self, f: &mut Formatter<'_>) -> Result {
                self.0.fmt(f)
            }
        }
    )*};
}
forward_by_kernel!(Debug, LowerHex, UpperHex, Octal, Binary, LowerExp, UpperExp);

/// An argument of a macro that formats.
///
/// It chooses how `{}` formats the value. rustc looks for a method here first, where only types
/// have it that core can display, and then in [`AnyArgument`].
#[doc(hidden)]
pub struct Argument<'a, T: ?Sized>(AnyArgument<'a, T>);

/// An argument of any type.
#[doc(hidden)]
pub struct AnyArgument<'a, T: ?Sized>(&'a T);

impl<'a, T: ?Sized> Argument<'a, T> {
    #[inline(always)]
    pub const fn new(value: &'a T) -> Self {
        Self(AnyArgument(value))
    }
}

impl<'a, T: core::fmt::Display + ?Sized> Argument<'a, T> {
    #[inline(always)]
    pub const fn __formatted(self) -> Adapter<&'a T> {
        Adapter(self.0 .0)
    }

    /// Returns what displays the value, for wrappers of other files.
    #[inline(always)]
    pub(crate) const fn by_core(self) -> &'a T {
        self.0 .0
    }
}

impl<'a, T: ?Sized> core::ops::Deref for Argument<'a, T> {
    type Target = AnyArgument<'a, T>;
    #[inline(always)]
    fn deref(&self) -> &AnyArgument<'a, T> {
        &self.0
    }
}

impl<'a, T: ?Sized> AnyArgument<'a, T> {
    #[inline(always)]
    pub const fn __formatted(&self) -> Adapter<ByKernel<&'a T>> {
        Adapter(self.by_kernel())
    }

    /// Returns what displays the value, for wrappers of other files.
    #[inline(always)]
    pub(crate) const fn by_kernel(&self) -> ByKernel<&'a T> {
        ByKernel(self.0)
    }
}

impl<'a, T> ByKernel<&'a T> {
    /// Returns the value itself.
    #[inline]
    pub(crate) const fn value(&self) -> &'a T {
        self.0
    }
}
