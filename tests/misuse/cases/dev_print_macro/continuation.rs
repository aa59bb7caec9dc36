// SPDX-License-Identifier: MIT OR Apache-2.0

//! A device's messages have the levels of the log, and no continuation.
#![no_std]
#![forbid(unsafe_code)]

use kernel::device::Device;

pub fn tell(dev: &Device) {
    #[cfg(misuse)]
    kernel::dev_print_macro!(Cont, dev, "x\n"); //~ E0599
    kernel::dev_print_macro!(Info, dev, "x\n");
}
