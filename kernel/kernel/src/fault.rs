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
/// # Examples
///
/// ```no_run
/// kernel::fault::null_dereference();
/// ```
pub fn null_dereference() {
    // SAFETY: the address is never mapped, so no memory is touched: the CPU
    // faults, and the kernel ends the process.
    unsafe { bindings::koru_fault_null() }
}

/// Warns: C's `WARN`, with a stack trace, and the kernel goes on.
///
/// # Examples
///
/// ```no_run
/// kernel::fault::warn();
/// ```
pub fn warn() {
    // SAFETY: may be called in every context.
    unsafe { bindings::koru_fault_warn() }
}
