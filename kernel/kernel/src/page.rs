// SPDX-License-Identifier: GPL-2.0-only

//! The size of a page.
//!
//! C header: `include/linux/mm.h`

use crate::layout;

/// The binary logarithm of the size of a page.
///
/// # Examples
///
/// ```
/// use kernel::page::{PAGE_SHIFT, PAGE_SIZE};
/// assert!(1 << PAGE_SHIFT == PAGE_SIZE);
/// ```
pub const PAGE_SHIFT: usize = PAGE_SIZE.trailing_zeros() as usize;

/// The size of a page, in bytes.
///
/// # Examples
///
/// ```
/// use kernel::page::PAGE_SIZE;
/// static ZEROES: [u8; PAGE_SIZE] = [0; PAGE_SIZE];
/// # let _ = &ZEROES;
/// ```
pub const PAGE_SIZE: usize = layout::PAGE_SIZE;

/// The mask of the bits of an address that say where its page begins.
///
/// # Examples
///
/// ```
/// use kernel::page::{PAGE_MASK, PAGE_SIZE};
/// assert!((PAGE_SIZE + 7) & PAGE_MASK == PAGE_SIZE);
/// ```
pub const PAGE_MASK: usize = !(PAGE_SIZE - 1);

/// Rounds up to a multiple of the size of a page.
///
/// It returns `None` if the result is too large for a `usize`.
///
/// # Examples
///
/// ```
/// use kernel::page::{page_align, PAGE_SIZE};
/// assert!(page_align(1) == Some(PAGE_SIZE));
/// assert!(page_align(usize::MAX).is_none());
/// ```
#[doc(alias = "PAGE_ALIGN")]
#[inline]
pub const fn page_align(addr: usize) -> Option<usize> {
    addr.checked_next_multiple_of(PAGE_SIZE)
}
