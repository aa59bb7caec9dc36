// SPDX-License-Identifier: MIT OR Apache-2.0

//! The table of a file is made of what `#[vtable]` says, and nobody forgets it.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{fs::File, prelude::*, proc_fs::Operations};

pub struct Files;

#[cfg_attr(not(misuse), vtable)]
impl Operations for Files {
    //~^ E0046
    type Data = ();

    fn open(&self, _file: &File) -> Result {
        Ok(())
    }
}
