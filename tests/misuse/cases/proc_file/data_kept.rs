// SPDX-License-Identifier: MIT OR Apache-2.0

//! What belongs to an open file is borrowed for the call: `release` frees it.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use kernel::{
    fs::{file::Offset, File},
    new_mutex,
    prelude::*,
    proc_fs::Operations,
    sync::Mutex,
    uaccess::UserSliceWriter,
};

#[pin_data]
pub struct Keeper {
    #[pin]
    last: Mutex<Option<&'static u32>>,
}

pub fn keeper() -> impl PinInit<Keeper> {
    pin_init!(Keeper { last <- new_mutex!(None) })
}

#[vtable]
impl Operations for Keeper {
    type Data = KBox<u32>;

    fn open(&self, _file: &File) -> Result<KBox<u32>> {
        Ok(KBox::new(1, GFP_KERNEL)?)
    }

    fn read(
        &self,
        _data: &u32,
        _file: &File,
        _to: &mut UserSliceWriter,
        _pos: &mut Offset,
    ) -> Result<usize> {
        #[cfg(misuse)]
        {
            *self.last.lock() = Some(_data); //~ E0521
        }
        #[cfg(not(misuse))]
        {
            *self.last.lock() = None;
        }
        Ok(0)
    }
}
