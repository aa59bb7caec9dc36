// SPDX-License-Identifier: GPL-2.0-only

//! The name of the module that this crate is linked into.

use crate::bindings;
use core::ffi::CStr;

/// The name of the module that this crate is in. For every context.
///
/// The crate is compiled once for all modules, so the C side has to say it.
pub(crate) fn module_name() -> &'static str {
    // SAFETY: the name is a C string in the `struct module`, which is there for as
    // long as the module's code.
    let name = unsafe { CStr::from_ptr(bindings::koru_module_name().cast()) };
    name.to_str().unwrap_or("?")
}
