// SPDX-License-Identifier: GPL-2.0-only

//! Dereferences a NULL pointer, in C, when it is loaded.

#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

module! {
    type: Follows,
    name: "kt_fault_null",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
}

struct Follows;

impl kernel::Module for Follows {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_info!("about to follow NULL\n");
        kernel::fault::null_dereference();
        Ok(Follows)
    }
}
