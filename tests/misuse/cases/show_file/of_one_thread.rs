// SPDX-License-Identifier: MIT OR Apache-2.0

//! Several processes read a file at once: what it prints may be shared.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, proc_fs::Show, seq_file::SeqFile, seq_print};

#[cfg(misuse)]
pub struct Text(pub core::cell::Cell<u32>);
#[cfg(not(misuse))]
pub struct Text(pub u32);

impl Show for Text {
    //~^ E0277
    fn show(&self, m: &SeqFile) -> Result {
        seq_print!(m, "text\n");
        Ok(())
    }
}
