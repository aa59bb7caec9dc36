// SPDX-License-Identifier: GPL-2.0-only

//! Fast hashes of integers, for tables.
//!
//! C header: `include/linux/hash.h`

use crate::ffi::c_ulong;
use crate::layout;

/// The multiplier of [`hash_long`]: 2^64 times the golden ratio, as the target kernel defines it.
pub const GOLDEN_RATIO_PRIME: c_ulong = layout::GOLDEN_RATIO_PRIME;

/// Returns a hash of `bits` bits, which is an index of a table of `1 << bits` entries.
///
/// `bits` above the width of a `long` count as that width, and 0 bits result in 0. Whoever chooses
/// the values can choose some with the same hash.
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
    // The high bits are mixed best.
    let hash = value.wrapping_mul(GOLDEN_RATIO_PRIME);
    match c_ulong::BITS.checked_sub(bits) {
        Some(shift) => hash >> shift,
        None => hash,
    }
}
