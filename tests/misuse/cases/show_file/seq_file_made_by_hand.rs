// SPDX-License-Identifier: MIT OR Apache-2.0

//! A `seq_file` is the kernel's.
#![no_std]
#![forbid(unsafe_code)]

use kernel::seq_file::SeqFile;

pub fn print(m: &SeqFile) {
    #[cfg(misuse)]
    let m = SeqFile::from_raw(core::ptr::null_mut()); //~ E0133
    m.write_bytes(b"text\n");
}
