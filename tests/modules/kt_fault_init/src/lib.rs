// SPDX-License-Identifier: GPL-2.0-only

//! Refuses to load.

#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

module! {
    type: Fails,
    name: "kt_fault_init",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
}

struct Fails;

impl kernel::Module for Fails {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_err!("the device is not there\n");
        Err(ENODEV)
    }
}
