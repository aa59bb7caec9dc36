// SPDX-License-Identifier: MIT OR Apache-2.0

//! One thread prints to a `seq_file`: the one that the kernel locked it for.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, seq_file::SeqFile};

pub fn needs<T: Sync>(_: &T) {}

pub fn show(m: &SeqFile, n: &u32) -> Result {
    #[cfg(misuse)]
    needs(m); //~ E0277
    needs(n);
    let _ = m;
    Ok(())
}
