// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nor is the log's level one of a device.
#![no_std]
#![forbid(unsafe_code)]

use kernel::device::{DevLevel, Device};
use kernel::print::Level;

pub fn tell(dev: &Device) {
    #[cfg(misuse)]
    dev.__print(Level::Info, format_args!("x\n")); //~ E0308
    let _ = Level::Info;
    dev.__print(DevLevel::Info, format_args!("x\n"));
}
