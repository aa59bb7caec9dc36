//! Says hello when it is loaded, and goodbye when it is unloaded.

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
    // Runs when the module is loaded; an error makes the load fail with it.
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
