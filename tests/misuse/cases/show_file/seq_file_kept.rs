// SPDX-License-Identifier: MIT OR Apache-2.0

//! A `seq_file` is printed to during the call only.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, proc_fs::Show, seq_file::SeqFile, seq_print};

pub struct Text;

impl Show for Text {
    fn show(&self, m: &SeqFile) -> Result {
        #[cfg(misuse)]
        let m: &'static SeqFile = m; //~ "lifetime may not live long enough"
        seq_print!(m, "text\n");
        Ok(())
    }
}
