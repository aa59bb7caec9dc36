// SPDX-License-Identifier: GPL-2.0-only

//! Deliberate faults, for testing the tools that must notice them.
//!
//! As the kernel's own LKDTM: nothing here is of use to a module, and all of it
//! harms the kernel that it runs on. A module that calls none of it contains none
//! of it.

use crate::bindings;

/// Follows a NULL pointer in the C interface layer. The kernel oopses, and the
/// process that did it is killed.
///
/// Context: any. In an interrupt the kernel panics.
///
/// # Examples
///
/// ```no_run
/// kernel::fault::null_dereference();
/// ```
pub fn null_dereference() {
    // SAFETY: nothing of the kernel's is at address 0, so the write faults, and the kernel
    // ends the process. (A process may have mapped that address where `mmap_min_addr` is 0;
    // without SMAP its own memory is then written to, which Rust knows nothing of.)
    unsafe { bindings::koru_fault_null() }
}

/// Warns: C's `WARN`, with a stack trace, and the kernel goes on.
///
/// Context: any.
///
/// # Examples
///
/// ```no_run
/// kernel::fault::warn();
/// ```
pub fn warn() {
    // SAFETY: `WARN()` takes no pointer but that of its text, and may be used in every
    // context.
    unsafe { bindings::koru_fault_warn() }
}
