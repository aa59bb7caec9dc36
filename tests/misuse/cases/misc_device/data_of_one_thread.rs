// SPDX-License-Identifier: MIT OR Apache-2.0

//! Threads share an open file: what belongs to it may be shared.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    fs::File,
    miscdevice::{MiscDevice, MiscDeviceRegistration},
    prelude::*,
};

#[cfg(misuse)]
pub struct Number(pub core::cell::Cell<u32>);
#[cfg(not(misuse))]
pub struct Number(pub u32);

#[vtable]
impl MiscDevice for Number {
    type Ptr = KBox<Self>; //~ E0277

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result<KBox<Self>> {
        Err(EIO)
    }
}
