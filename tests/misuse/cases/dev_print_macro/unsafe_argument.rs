// SPDX-License-Identifier: MIT OR Apache-2.0

//! An argument has no unsafe code of its own.
#![no_std]
#![forbid(unsafe_code)]

use kernel::device::Device;

pub fn tell(dev: &Device) {
    #[cfg(misuse)]
    kernel::dev_info!(dev, "{}\n", unsafe { core::mem::zeroed::<u8>() }); //~ unsafe_code
    #[cfg(not(misuse))]
    kernel::dev_info!(dev, "{}\n", { core::mem::size_of::<u8>() });
}
