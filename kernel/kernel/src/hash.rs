// SPDX-License-Identifier: GPL-2.0-only

//! Fast hashes of numbers, for tables.
//!
//! C header: `include/linux/hash.h`

use crate::ffi::c_ulong;
use crate::layout;

/// What [`hash_long`] multiplies with: 2^64 by the golden ratio, as the kernel
/// that is built for has it.
pub const GOLDEN_RATIO_PRIME: c_ulong = layout::GOLDEN_RATIO_PRIME;

/// A hash of `bits` bits: a place in a table of `1 << bits`. `bits` above the
/// width of a `long` count as that, and none give 0.
///
/// Who chooses the values can choose ones with the same hash.
///
/// # Examples
///
/// ```
/// let slot = kernel::hash::hash_long(0xffff_8880_1234_5600, 6);
/// assert!(slot < 64);
/// ```
pub const fn hash_long(value: c_ulong, bits: u32) -> c_ulong {
    if bits == 0 {
        return 0;
    }
    // High bits are mixed best.
    let hash = value.wrapping_mul(GOLDEN_RATIO_PRIME);
    match c_ulong::BITS.checked_sub(bits) {
        Some(shift) => hash >> shift,
        None => hash,
    }
}
