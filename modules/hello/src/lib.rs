// SPDX-License-Identifier: GPL-2.0-only

//! The smallest module: it says hello when it comes and goodbye when it goes.

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

/// The module's state. It has none, but its value lives from load to unload.
struct Hello;

impl kernel::Module for Hello {
    /// `insmod`: an error here would refuse the load.
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_info!("Hello world\n");
        Ok(Hello)
    }
}

impl Drop for Hello {
    /// `rmmod`.
    fn drop(&mut self) {
        pr_info!("Goodbye world\n");
    }
}
