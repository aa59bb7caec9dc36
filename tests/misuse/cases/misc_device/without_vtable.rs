// SPDX-License-Identifier: MIT OR Apache-2.0

//! The table of a device is made of what `#[vtable]` says, and nobody forgets it.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    fs::File,
    miscdevice::{MiscDevice, MiscDeviceRegistration},
    prelude::*,
};

pub struct Nothing;

#[cfg_attr(not(misuse), vtable)]
impl MiscDevice for Nothing {
    //~^ E0046
    type Ptr = ();

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result {
        Ok(())
    }
}
