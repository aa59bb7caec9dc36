// SPDX-License-Identifier: MIT OR Apache-2.0

//! A registration is borrowed while the device is opened: it may go at any time after.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    fs::File,
    miscdevice::{MiscDevice, MiscDeviceRegistration},
    prelude::*,
};

pub struct Nothing;

pub fn keep(_: &'static MiscDeviceRegistration<Nothing>) {}
pub fn look(_: &MiscDeviceRegistration<Nothing>) {}

#[vtable]
impl MiscDevice for Nothing {
    type Ptr = ();

    fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result {
        #[cfg(misuse)]
        keep(misc); //~ E0521
        #[cfg(not(misuse))]
        look(misc);
        Ok(())
    }
}
