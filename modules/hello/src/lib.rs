// SPDX-License-Identifier: GPL-2.0-only

//! The smallest module: it says hello when it is loaded, and goodbye when it is unloaded.

#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

module! {
    type: Hello,
    name: "hello",
    author: "The Koru authors",
    description: "Says hello when loaded and goodbye when unloaded",
    license: "GPL",
    version: "1.0",
}

/// The module's value, which lives from load to unload.
///
/// It has no data.
struct Hello;

impl kernel::Module for Hello {
    /// Runs on `insmod`.
    ///
    /// An error here makes that fail.
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_info!("Hello world\n");
        Ok(Hello)
    }
}

impl Drop for Hello {
    /// Runs on `rmmod`.
    fn drop(&mut self) {
        pr_info!("Goodbye world\n");
    }
}
