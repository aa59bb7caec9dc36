// SPDX-License-Identifier: GPL-2.0-only

//! Masks of bits.
//!
//! Each function exists for `u8`, `u16`, `u32` and `u64`. Those without `checked` in their names need
//! arguments that the optimiser knows: if they do not fit the type, the module does not link.
//!
//! C header: `include/linux/bits.h`
//!
//! # Examples
//!
//! ```
//! use kernel::bits::{bit_u32, checked_bit_u8, genmask_checked_u16, genmask_u32};
//! assert!(bit_u32(4) == 0x10);
//! assert!(genmask_u32(4..=7) == 0xf0);
//! assert!(checked_bit_u8(8).is_none());
//! assert!(genmask_checked_u16(8..=16).is_none());
//! ```

use crate::build_assert;
use core::ops::RangeInclusive;

macro_rules! bits {
    ($($ty:ident: $bit:ident $checked_bit:ident $genmask:ident $genmask_checked:ident;)*) => {$(
        /// Returns the number in which only bit `n` is set.
        ///
        /// The optimiser must know that the type has this bit.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("assert!(kernel::bits::", stringify!($bit), "(3) == 8);")]
        /// ```
        #[doc(alias = "BIT")]
        #[inline(always)]
        pub const fn $bit(n: u32) -> $ty {
            build_assert!(n < $ty::BITS);
            1 << n
        }

        /// Returns the number in which only bit `n` is set, or `None` if the type has no such bit.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("assert!(kernel::bits::", stringify!($checked_bit), "(3) == Some(8));")]
        /// ```
        #[inline]
        pub fn $checked_bit(n: u32) -> Option<$ty> {
            <$ty>::checked_shl(1, n)
        }

        /// Returns the number in which the bits of the range are set.
        ///
        /// The optimiser must know that the range is not empty and that the type has these bits.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("assert!(kernel::bits::", stringify!($genmask), "(2..=3) == 12);")]
        /// ```
        #[doc(alias = "GENMASK")]
        #[inline(always)]
        pub const fn $genmask(range: RangeInclusive<u32>) -> $ty {
            let (low, high) = (*range.start(), *range.end());
            build_assert!(low <= high && high < $ty::BITS);
            ($ty::MAX << low) & ($ty::MAX >> ($ty::BITS - 1 - high))
        }

        /// Returns the number in which the bits of the range are set, or `None` if it is empty or
        /// the type does not have these bits.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("assert!(kernel::bits::", stringify!($genmask_checked), "(2..=3) == Some(12));")]
        /// ```
        #[inline]
        pub fn $genmask_checked(range: RangeInclusive<u32>) -> Option<$ty> {
            let (low, high) = (*range.start(), *range.end());
            if low > high || high >= $ty::BITS {
                return None;
            }
            Some(($ty::MAX << low) & ($ty::MAX >> ($ty::BITS - 1 - high)))
        }
    )*};
}

bits! {
    u8: bit_u8 checked_bit_u8 genmask_u8 genmask_checked_u8;
    u16: bit_u16 checked_bit_u16 genmask_u16 genmask_checked_u16;
    u32: bit_u32 checked_bit_u32 genmask_u32 genmask_checked_u32;
    u64: bit_u64 checked_bit_u64 genmask_u64 genmask_checked_u64;
}
