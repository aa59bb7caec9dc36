// SPDX-License-Identifier: MIT OR Apache-2.0

//! An argument has no unsafe code of its own.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, seq_file::SeqFile, seq_print};

pub fn show(m: &SeqFile) {
    #[cfg(misuse)]
    seq_print!(m, "{}\n", unsafe { core::mem::zeroed::<u8>() }); //~ unsafe_code
    #[cfg(not(misuse))]
    seq_print!(m, "{}\n", { size_of::<u8>() });
}
