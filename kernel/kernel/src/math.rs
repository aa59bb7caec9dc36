// SPDX-License-Identifier: GPL-2.0-only

//! Arithmetic that the kernel has ready.
//!
//! C header: `include/linux/gcd.h`

use crate::bindings;
use crate::ffi::c_ulong;

/// The greatest common divisor, by the kernel's own `gcd()`. That of 0 and `n` is
/// `n`.
///
/// May be called in every context.
///
/// Context: any.
///
/// # Examples
///
/// ```
/// let twelve = kernel::math::gcd(3300, 24);
/// # let _ = twelve;
/// ```
pub fn gcd(a: c_ulong, b: c_ulong) -> c_ulong {
    // SAFETY: the function takes numbers, of any value, and touches no memory.
    unsafe { bindings::koru_gcd(a, b) }
}
