// SPDX-License-Identifier: MIT OR Apache-2.0

//! The bytes of a `write` are there during the call only.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    fs::{File, Kiocb},
    iov::IovIterSource,
    miscdevice::{MiscDevice, MiscDeviceRegistration},
    prelude::*,
};

pub struct Nothing;

pub fn keep(_: &mut IovIterSource<'static>) {}
pub fn look(_: &mut IovIterSource<'_>) {}

#[vtable]
impl MiscDevice for Nothing {
    type Ptr = ();

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result {
        Ok(())
    }

    fn write_iter(_kiocb: Kiocb<'_, ()>, iov: &mut IovIterSource<'_>) -> Result<usize> {
        #[cfg(misuse)]
        keep(iov); //~ E0521
        #[cfg(not(misuse))]
        look(iov);
        Ok(0)
    }
}
