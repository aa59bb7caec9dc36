// SPDX-License-Identifier: MIT OR Apache-2.0

//! The first argument is a device, and not what looks like one.
#![no_std]
#![forbid(unsafe_code)]

use kernel::device::Device;

pub fn tell(dev: &Device) {
    #[cfg(misuse)]
    kernel::dev_info!("dev", "x\n"); //~ E0277
    kernel::dev_info!(dev, "x\n");
}
