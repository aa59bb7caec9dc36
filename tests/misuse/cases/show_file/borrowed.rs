// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a file prints stays for as long as the file may be there: for ever.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, proc_fs::Show, seq_file::SeqFile, seq_print};

#[cfg(misuse)]
pub struct Text<'a>(pub &'a u32);
#[cfg(not(misuse))]
pub struct Text(pub &'static u32);

#[cfg(misuse)]
impl<'a> Show for Text<'a> {
    //~^ E0478
    //~^^ E0803
    fn show(&self, m: &SeqFile) -> Result {
        seq_print!(m, "{}\n", self.0);
        Ok(())
    }
}
#[cfg(not(misuse))]
impl Show for Text {
    fn show(&self, m: &SeqFile) -> Result {
        seq_print!(m, "{}\n", self.0);
        Ok(())
    }
}
