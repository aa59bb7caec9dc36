// SPDX-License-Identifier: MIT OR Apache-2.0

//! What belongs to an open file is borrowed for the call: `release` frees it.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    fs::File,
    miscdevice::{MiscDevice, MiscDeviceRegistration},
    prelude::*,
};

pub struct Number(u32);

pub fn keep(_: &'static Number) {}
pub fn look(_: &Number) {}

#[vtable]
impl MiscDevice for Number {
    type Ptr = KBox<Self>;

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result<KBox<Self>> {
        Ok(KBox::new(Number(1), GFP_KERNEL)?)
    }

    fn ioctl(number: &Number, _file: &File, _cmd: u32, _arg: usize) -> Result<isize> {
        #[cfg(misuse)]
        keep(number); //~ E0521
        #[cfg(not(misuse))]
        look(number);
        Ok(number.0 as isize)
    }
}
