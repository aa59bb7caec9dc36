// SPDX-License-Identifier: GPL-2.0-only

//! Allocation flags: C's `gfp_t`.

/// What an allocation may do: C's `gfp_t`.
///
/// # Examples
///
/// ```
/// use kernel::alloc::flags::*;
/// let quiet = GFP_KERNEL | __GFP_NOWARN;
/// # let _ = quiet;
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Flags(u32);

impl Flags {
    #[inline]
    pub(crate) const fn as_raw(self) -> u32 {
        self.0
    }
}

impl core::ops::BitOr for Flags {
    type Output = Self;
    #[inline]
    fn bitor(self, rhs: Self) -> Self {
        Self(self.0 | rhs.0)
    }
}

impl core::ops::BitAnd for Flags {
    type Output = Self;
    #[inline]
    fn bitand(self, rhs: Self) -> Self {
        Self(self.0 & rhs.0)
    }
}

impl core::ops::Not for Flags {
    type Output = Self;
    #[inline]
    fn not(self) -> Self {
        Self(!self.0)
    }
}

/// The allocation flags.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// let from_an_interrupt = KBox::new(5, GFP_ATOMIC);
/// # let _ = from_an_interrupt;
/// ```
pub mod flags {
    use super::Flags;
    use crate::layout;

    /// The memory is zeroed.
    pub const __GFP_ZERO: Flags = Flags(layout::__GFP_ZERO as u32);
    /// The memory may lie in highmem.
    pub const __GFP_HIGHMEM: Flags = Flags(layout::__GFP_HIGHMEM as u32);
    /// A failure prints no warning.
    pub const __GFP_NOWARN: Flags = Flags(layout::__GFP_NOWARN as u32);
    /// May not sleep, may use reserves: for interrupts and spin locks.
    pub const GFP_ATOMIC: Flags = Flags(layout::GFP_ATOMIC as u32);
    /// May sleep: the usual one in system calls and at load.
    pub const GFP_KERNEL: Flags = Flags(layout::GFP_KERNEL as u32);
    /// As `GFP_KERNEL`, and counted against the caller's memory cgroup.
    pub const GFP_KERNEL_ACCOUNT: Flags = Flags(layout::GFP_KERNEL_ACCOUNT as u32);
    /// May not sleep and may not use reserves.
    pub const GFP_NOWAIT: Flags = Flags(layout::GFP_NOWAIT as u32);
}
