// SPDX-License-Identifier: GPL-2.0-only

//! The name of the module that this crate is linked into.

use crate::bindings;
use core::ffi::CStr;

/// Returns the name of the module that this crate is linked into.
///
/// The crate is compiled once for all modules, so only the C side knows the name.
///
/// Context: any.
pub(crate) fn module_name() -> &'static str {
    // SAFETY: `koru_module_name()` returns a C string in the `struct module`, which exists as long
    // as the module's code does.
    let name = unsafe { CStr::from_ptr(bindings::koru_module_name().cast()) };
    name.to_str().unwrap_or("?")
}
