// SPDX-License-Identifier: GPL-2.0-only

//! Makes the kernel WARN when it is loaded.

#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

module! {
    type: Warns,
    name: "kt_fault_warn",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
}

struct Warns;

impl kernel::Module for Warns {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_info!("about to warn\n");
        kernel::fault::warn();
        Ok(Warns)
    }
}
