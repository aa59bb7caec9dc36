// SPDX-License-Identifier: GPL-2.0-only

//! Never finishes loading.

#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

module! {
    type: Loops,
    name: "kt_fault_loop",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
}

struct Loops;

impl kernel::Module for Loops {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_info!("about to loop\n");
        Self::for_ever()
    }
}

impl Loops {
    #[inline(never)]
    fn for_ever() -> Result<Self> {
        loop {
            core::hint::spin_loop();
        }
    }
}
