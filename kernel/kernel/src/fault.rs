// SPDX-License-Identifier: GPL-2.0-only

//! Deliberate faults, for testing the tools that must detect them.
//!
//! Like the kernel's LKDTM, nothing here is useful to a module, and all of it harms the running
//! kernel. A module that calls none of these functions contains none of them.

use crate::bindings;

/// Dereferences a NULL pointer in the C interface layer.
///
/// The kernel oopses, and kills the process.
///
/// Context: any. In an interrupt the kernel panics.
///
/// # Examples
///
/// ```no_run
/// kernel::fault::null_dereference();
/// ```
pub fn null_dereference() {
    // SAFETY: nothing of the kernel is at address 0, so the write faults, and the kernel kills the
    // process. (A process may have mapped that address where `mmap_min_addr` is 0; without SMAP its
    // own memory is then written, about which Rust assumes nothing.)
    unsafe { bindings::koru_fault_null() }
}

/// Warns by C's `WARN`, with a stack trace; the kernel continues.
///
/// Context: any.
///
/// # Examples
///
/// ```no_run
/// kernel::fault::warn();
/// ```
pub fn warn() {
    // SAFETY: `WARN()` takes no pointer but that of its text, and may be used in any context.
    unsafe { bindings::koru_fault_warn() }
}
