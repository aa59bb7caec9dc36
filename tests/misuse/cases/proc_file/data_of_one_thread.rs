// SPDX-License-Identifier: MIT OR Apache-2.0

//! Any process may be the last that closes a file: its data may be sent there.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(misuse)]
use kernel::types::NotThreadSafe;
use kernel::{fs::File, prelude::*, proc_fs::Operations};

pub struct Opened {
    #[cfg(misuse)]
    pub number: NotThreadSafe,
    #[cfg(not(misuse))]
    pub number: u32,
}

pub struct Files;

#[vtable]
impl Operations for Files {
    type Data = KBox<Opened>; //~ E0277 "cannot be sent"
                              //~^ E0277 "cannot be shared"

    fn open(&self, _file: &File) -> Result<KBox<Opened>> {
        Err(EIO)
    }
}
