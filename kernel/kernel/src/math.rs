// SPDX-License-Identifier: GPL-2.0-only

//! Arithmetic functions of the kernel.
//!
//! C header: `include/linux/gcd.h`

use crate::bindings;
use crate::ffi::c_ulong;

/// Returns the greatest common divisor, by the kernel's own `gcd()`.
///
/// The greatest common divisor of 0 and `n` is `n`.
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
    // SAFETY: the function takes any numbers, and accesses no memory.
    unsafe { bindings::koru_gcd(a, b) }
}
