// SPDX-License-Identifier: MIT OR Apache-2.0

//! What has no text cannot be printed.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, seq_file::SeqFile, seq_print};

#[cfg_attr(not(misuse), derive(Debug))]
pub struct Silent;

pub fn show(m: &SeqFile, silent: &Silent) {
    seq_print!(m, "{:?}\n", silent); //~ E0277
}
