// SPDX-License-Identifier: GPL-2.0-only

//! Memory from the kernel.
//!
//! Every allocation can fail and says so; none happens behind your back. The
//! [`Flags`] say what the allocator may do: [`flags::GFP_KERNEL`] may sleep,
//! [`flags::GFP_ATOMIC`] may not and works in interrupts.
//!
//! C header: [`include/linux/slab.h`](https://docs.kernel.org/core-api/memory-allocation.html)

mod allocator;
mod kbox;
mod kvec;

pub use allocator::{KVmalloc, Kmalloc, Vmalloc};
pub use kbox::{Box, KBox, KVBox, VBox};
pub use kvec::{DrainAll, InsertError, IntoIter, KVVec, KVec, PushError, RemoveError, VVec, Vec};

use core::alloc::Layout;
use core::ptr::NonNull;

/// No memory. Turns into `ENOMEM`.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// fn make() -> Result<KBox<u32>> {
///     Ok(KBox::new(5, GFP_KERNEL)?)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocError;

impl core::fmt::Display for AllocError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("out of memory")
    }
}

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

/// A kernel allocator.
///
/// # Safety
///
/// What `alloc` and `realloc` return is at least as large and as aligned as the
/// layout says, and stays valid until it goes to `realloc` or `free` of the
/// same allocator.
///
/// # Examples
///
/// ```
/// use kernel::alloc::{Allocator, Kmalloc};
/// use kernel::prelude::*;
/// fn page() -> Result {
///     let layout = core::alloc::Layout::new::<[u8; 4096]>();
///     let memory = Kmalloc::alloc(layout, GFP_KERNEL)?;
///     // SAFETY: it comes from the same allocator, with the same layout.
///     unsafe { Kmalloc::free(memory.cast(), layout) };
///     Ok(())
/// }
/// ```
pub unsafe trait Allocator {
    /// What every allocation is aligned to, at least.
    const MIN_ALIGN: usize;

    /// Allocates. A layout of size 0 gives a dangling pointer.
    #[inline]
    fn alloc(layout: Layout, flags: Flags) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: without an old pointer there is nothing to be valid.
        unsafe { Self::realloc(None, layout, Layout::new::<()>(), flags) }
    }

    /// Changes an allocation's size, and moves it if it must. On failure the
    /// old one stays as it was. What is new is not zeroed.
    ///
    /// # Safety
    ///
    /// `ptr` comes from this allocator, with `old_layout`, or is `None`; the
    /// alignments of both layouts are the same.
    unsafe fn realloc(
        ptr: Option<NonNull<u8>>,
        layout: Layout,
        old_layout: Layout,
        flags: Flags,
    ) -> Result<NonNull<[u8]>, AllocError>;

    /// Frees an allocation.
    ///
    /// # Safety
    ///
    /// `ptr` comes from this allocator, with `layout`.
    unsafe fn free(ptr: NonNull<u8>, layout: Layout);
}

/// The pointer that stands for an allocation of no bytes.
pub(crate) const fn dangling(layout: Layout) -> NonNull<u8> {
    NonNull::without_provenance(match core::num::NonZeroUsize::new(layout.align()) {
        Some(align) => align,
        None => core::num::NonZeroUsize::MIN,
    })
}
