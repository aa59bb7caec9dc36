// SPDX-License-Identifier: MIT OR Apache-2.0

//! An open file is borrowed for the call, and not kept.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use kernel::{fs::File, new_mutex, prelude::*, proc_fs::Operations, sync::Mutex};

#[pin_data]
pub struct Keeper {
    #[pin]
    last: Mutex<Option<&'static File>>,
}

pub fn keeper() -> impl PinInit<Keeper> {
    pin_init!(Keeper { last <- new_mutex!(None) })
}

#[vtable]
impl Operations for Keeper {
    type Data = ();

    fn open(&self, _file: &File) -> Result {
        #[cfg(misuse)]
        {
            *self.last.lock() = Some(_file); //~ E0521
        }
        #[cfg(not(misuse))]
        {
            *self.last.lock() = None;
        }
        Ok(())
    }
}
