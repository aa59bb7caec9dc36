// SPDX-License-Identifier: MIT OR Apache-2.0

//! A `kiocb` is of one read or write, and gone after it.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    fs::{File, Kiocb},
    iov::IovIterSource,
    miscdevice::{MiscDevice, MiscDeviceRegistration},
    prelude::*,
};

pub struct Nothing;

pub fn keep(_: Kiocb<'static, ()>) {}
pub fn look(_: Kiocb<'_, ()>) {}

#[vtable]
impl MiscDevice for Nothing {
    type Ptr = ();

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result {
        Ok(())
    }

    fn write_iter(kiocb: Kiocb<'_, ()>, _iov: &mut IovIterSource<'_>) -> Result<usize> {
        #[cfg(misuse)]
        keep(kiocb); //~ E0521
        #[cfg(not(misuse))]
        look(kiocb);
        Ok(0)
    }
}
