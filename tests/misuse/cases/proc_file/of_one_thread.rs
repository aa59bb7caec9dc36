// SPDX-License-Identifier: MIT OR Apache-2.0

//! Several processes call a file at once: what it is made of may be shared.
#![no_std]
#![forbid(unsafe_code)]

use core::sync::atomic::AtomicU32;
use kernel::{fs::File, prelude::*, proc_fs::Operations};

pub struct Counter {
    #[cfg(misuse)]
    pub opened: core::cell::Cell<u32>,
    #[cfg(not(misuse))]
    pub opened: AtomicU32,
}

pub static ZERO: AtomicU32 = AtomicU32::new(0);

#[vtable]
impl Operations for Counter {
    //~^ E0277
    type Data = ();

    fn open(&self, _file: &File) -> Result {
        Ok(())
    }
}
