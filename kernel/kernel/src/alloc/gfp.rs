// SPDX-License-Identifier: GPL-2.0-only

//! Allocation flags: C's `gfp_t`.

/// The flags of an allocation, which say what the allocator may do: C's `gfp_t`.
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

    /// Zeroes the memory.
    pub const __GFP_ZERO: Flags = Flags(layout::__GFP_ZERO as u32);
    /// Allows memory in highmem.
    pub const __GFP_HIGHMEM: Flags = Flags(layout::__GFP_HIGHMEM as u32);
    /// Suppresses the warning about a failure.
    pub const __GFP_NOWARN: Flags = Flags(layout::__GFP_NOWARN as u32);
    /// Must not sleep, and may use reserves: for interrupts and with spinlocks held.
    pub const GFP_ATOMIC: Flags = Flags(layout::GFP_ATOMIC as u32);
    /// May sleep: the usual flags in system calls and when a module is loaded.
    pub const GFP_KERNEL: Flags = Flags(layout::GFP_KERNEL as u32);
    /// May sleep, and is charged to the caller's memory cgroup.
    pub const GFP_KERNEL_ACCOUNT: Flags = Flags(layout::GFP_KERNEL_ACCOUNT as u32);
    /// Must not sleep, and must not use reserves.
    pub const GFP_NOWAIT: Flags = Flags(layout::GFP_NOWAIT as u32);
}
