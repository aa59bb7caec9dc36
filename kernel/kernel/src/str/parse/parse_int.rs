// SPDX-License-Identifier: GPL-2.0-only

//! Integers from text.

use crate::error::{code::EINVAL, Error, Result};
use crate::str::bytes::BStr;

mod sealed {
    pub trait Sealed {}
}

/// An integer that can be parsed from text, with the prefixes that C knows.
///
/// The text may begin with a sign. `0x` means hexadecimal, `0b` binary, and `0o` or `0` octal;
/// without them it is decimal. Nothing may follow, not even a newline.
///
/// Context: any.
///
/// # Examples
///
/// ```
/// use kernel::{b_str, str::parse_int::ParseInt};
/// assert!(u8::from_str(b_str!("0x1f")) == Ok(31));
/// assert!(i8::from_str(b_str!("-0b101")) == Ok(-5));
/// assert!(u16::from_str(b_str!("0755")) == Ok(493));
/// assert!(i8::from_str(b_str!("-129")).is_err());
/// assert!(u8::from_str(b_str!("7\n")).is_err());
/// ```
pub trait ParseInt: sealed::Sealed + TryFrom<i128> + Copy {
    /// Parses the whole text.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is no number, or one that the type does not have.
    fn from_str(src: &BStr) -> Result<Self> {
        let value = parse(src)?;
        Self::try_from(value).map_err(|_| EINVAL)
    }
}

fn parse(text: &[u8]) -> Result<i128, Error> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (radix, digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        [b'0', b'o' | b'O', rest @ ..] => (8, rest),
        [b'0', b'b' | b'B', rest @ ..] => (2, rest),
        // The zero stays: alone it is a digit, and before others it changes nothing.
        [b'0', ..] => (8, digits),
        _ => (10, digits),
    };
    // A number of 64 bits has at most as many digits, so the sum below cannot overflow.
    let significant = digits.iter().skip_while(|&&digit| digit == b'0').count();
    if digits.is_empty() || significant > 64 {
        return Err(EINVAL);
    }
    let mut value: u128 = 0;
    for &digit in digits {
        let digit = char::from(digit).to_digit(radix).ok_or(EINVAL)?;
        value = value
            .checked_mul(radix.into())
            .and_then(|value| value.checked_add(digit.into()))
            .ok_or(EINVAL)?;
    }
    let value = i128::try_from(value).map_err(|_| EINVAL)?;
    Ok(if negative { -value } else { value })
}

macro_rules! integers {
    ($($ty:ty),*) => {$(
        impl sealed::Sealed for $ty {}
        impl ParseInt for $ty {}
    )*};
}
integers!(i8, u8, i16, u16, i32, u32, i64, u64, isize, usize);
