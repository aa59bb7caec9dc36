// SPDX-License-Identifier: GPL-2.0-only

//! Panics when it is loaded.

#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

module! {
    type: Panics,
    name: "kt_fault_panic",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
}

struct Panics;

impl kernel::Module for Panics {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let values = [1, 2, 3];
        pr_info!("about to panic\n");
        Self::take(&values, values.len() + 4)
    }
}

impl Panics {
    #[inline(never)]
    fn take(values: &[u8], at: usize) -> Result<Self> {
        pr_info!("{}\n", values[at]);
        Ok(Panics)
    }
}
