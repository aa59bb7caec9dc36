// SPDX-License-Identifier: GPL-2.0-only

//! The macros that make constant strings.

/// Expands to a [`CStr`](core::ffi::CStr) of a literal, or of what `concat!` takes.
///
/// A literal can also be written as `c"text"`.
///
/// # Examples
///
/// ```
/// use kernel::{c_str, prelude::*};
/// const NAME: &CStr = c_str!("example");
/// # let _ = NAME;
/// ```
#[macro_export]
macro_rules! c_str {
    ($str:expr) => {{
        const NAME: &$crate::__core::ffi::CStr =
            match $crate::__core::ffi::CStr::from_bytes_with_nul(
                $crate::__core::concat!($str, "\0").as_bytes(),
            ) {
                $crate::__core::result::Result::Ok(name) => name,
                $crate::__core::result::Result::Err(_) => {
                    $crate::__core::panic!("the name contains a NUL")
                }
            };
        NAME
    }};
}

/// Expands to a [`BStr`](crate::str::BStr) of a literal.
///
/// # Examples
///
/// ```
/// use kernel::{b_str, str::BStr};
/// const NAME: &BStr = b_str!("example");
/// # let _ = NAME;
/// ```
#[macro_export]
macro_rules! b_str {
    ($str:literal) => {{
        const BYTES: &$crate::str::BStr = $crate::str::BStr::from_bytes($str.as_bytes());
        BYTES
    }};
}
