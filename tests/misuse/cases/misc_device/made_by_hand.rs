// SPDX-License-Identifier: MIT OR Apache-2.0

//! A registration is made by the kernel's answer only.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration},
    prelude::*,
};

pub fn make<T: MiscDevice>() -> Result<Pin<KBox<MiscDeviceRegistration<T>>>> {
    #[cfg(misuse)]
    let init = kernel::init::init_zeroed(); //~ E0277
    #[cfg(not(misuse))]
    let init = MiscDeviceRegistration::register(MiscDeviceOptions { name: c"example" });
    KBox::pin_init(init, GFP_KERNEL)
}
