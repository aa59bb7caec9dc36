// SPDX-License-Identifier: GPL-2.0-only

//! Memory allocation.
//!
//! Every allocation can fail and returns an error then; none happens implicitly. The [`Flags`] say
//! what the allocator may do: an allocation with [`flags::GFP_KERNEL`] may sleep, one with
//! [`flags::GFP_ATOMIC`] may not and works in interrupts.
//!
//! C header: `include/linux/slab.h`
//!
//! Reference: <https://docs.kernel.org/core-api/memory-allocation.html>

mod allocator;
mod gfp;
mod kbox;
mod kvec;

pub use allocator::{AllocError, Allocator, KVmalloc, Kmalloc, Vmalloc};
pub use gfp::{flags, Flags};
pub use kbox::{Box, KBox, KVBox, VBox};
pub use kvec::errors::{InsertError, PushError, RemoveError};
pub use kvec::iter::{DrainAll, IntoIter};
pub use kvec::{KVVec, KVec, VVec, Vec};
