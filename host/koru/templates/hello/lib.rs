//! Logs a greeting when it is loaded, and a goodbye when it is unloaded.

#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

module! {
    type: @TYPE@,
    name: "@NAME@",
    authors: ["You"],
    description: "Says hello and goodbye in the kernel log",
    license: "GPL",
}

struct @TYPE@;

impl kernel::Module for @TYPE@ {
    // Runs when the module is loaded. An error makes the load fail.
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_info!("Hello world\n");
        Ok(@TYPE@)
    }
}

impl Drop for @TYPE@ {
    // Runs when the module is unloaded.
    fn drop(&mut self) {
        pr_info!("Goodbye world\n");
    }
}
