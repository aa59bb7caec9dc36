// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kernel keeps a pointer to a registration, so it stays where it is.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    miscdevice::{MiscDevice, MiscDeviceRegistration},
    prelude::*,
};

pub fn place<T: MiscDevice>(device: Pin<KBox<MiscDeviceRegistration<T>>>) {
    #[cfg(misuse)]
    let device = KBox::into_inner(Pin::into_inner(device)); //~ E0277 "cannot be unpinned"
    drop(device);
}
