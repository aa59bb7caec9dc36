// SPDX-License-Identifier: MIT OR Apache-2.0

//! A table of who polls is of one call, and gone after it.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    fs::File,
    miscdevice::{MiscDevice, MiscDeviceRegistration},
    prelude::*,
    sync::poll::PollTable,
};

pub struct Nothing;

pub fn keep(_: PollTable<'static>) {}
pub fn look(_: PollTable<'_>) {}

#[vtable]
impl MiscDevice for Nothing {
    type Ptr = ();

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result {
        Ok(())
    }

    fn poll(_nothing: (), _file: &File, table: PollTable<'_>) -> u32 {
        #[cfg(misuse)]
        keep(table); //~ E0521
        #[cfg(not(misuse))]
        look(table);
        0
    }
}
