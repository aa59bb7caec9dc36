// SPDX-License-Identifier: MIT OR Apache-2.0

//! It prints to a `seq_file`.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, seq_file::SeqFile, seq_print, str::CString};

pub fn show(m: &SeqFile, other: &mut CString) {
    #[cfg(misuse)]
    seq_print!(other, "text\n"); //~ E0599
    seq_print!(m, "text\n");
    let _ = other;
}
