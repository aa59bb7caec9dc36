// SPDX-License-Identifier: GPL-2.0-only

//! Runs the examples of the kernel crate's documentation.

#![no_std]
// Examples are what a user writes, with types and functions that nobody calls. One of them
// shows an unsafe function.
#![allow(warnings, clippy::all, clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;

include!(concat!(env!("OUT_DIR"), "/examples.rs"));

module! {
    type: Examples,
    name: "kt_examples",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
}

struct Examples;

impl kernel::Module for Examples {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        for (place, example) in EXAMPLES {
            pr_info!("running {place}\n");
            example();
        }
        pr_info!("ran {}\n", EXAMPLES.len());
        Ok(Examples)
    }
}
