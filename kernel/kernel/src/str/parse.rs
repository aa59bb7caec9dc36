// SPDX-License-Identifier: GPL-2.0-only

//! Numbers and truth values from text.

pub mod parse_int;

use crate::error::{code::EINVAL, Result};
use core::ffi::CStr;

/// Returns what a user means by `y`, `n`, `1`, `0`, `on`, `off` and the like.
///
/// As in C, only the first character counts, and after an `o` the second one. The case does not
/// matter.
///
/// Context: any.
///
/// # Errors
///
/// `EINVAL` for other text.
///
/// # Examples
///
/// ```
/// use kernel::str::kstrtobool;
/// assert!(kstrtobool(c"Yes") == Ok(true));
/// assert!(kstrtobool(c"off") == Ok(false));
/// assert!(kstrtobool(c"maybe").is_err());
/// ```
pub fn kstrtobool(string: &CStr) -> Result<bool> {
    kstrtobool_bytes(string.to_bytes())
}

/// Returns what a user means by bytes, which need no NUL at the end.
///
/// Context: any.
///
/// # Errors
///
/// `EINVAL` for text that [`kstrtobool`] does not take either.
///
/// # Examples
///
/// ```
/// use kernel::str::kstrtobool_bytes;
/// assert!(kstrtobool_bytes(b"on\n") == Ok(true));
/// assert!(kstrtobool_bytes(b"").is_err());
/// ```
pub fn kstrtobool_bytes(bytes: &[u8]) -> Result<bool> {
    // These are C's rules. The function in C needs a NUL, and so a copy.
    match bytes {
        [b'y' | b'Y' | b't' | b'T' | b'1', ..] => Ok(true),
        [b'n' | b'N' | b'f' | b'F' | b'0', ..] => Ok(false),
        [b'o' | b'O', b'n' | b'N', ..] => Ok(true),
        [b'o' | b'O', b'f' | b'F', ..] => Ok(false),
        _ => Err(EINVAL),
    }
}
