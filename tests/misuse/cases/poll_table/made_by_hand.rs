// SPDX-License-Identifier: MIT OR Apache-2.0

//! A table comes from the kernel only, with the file that is polled.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{fs::File, sync::poll::PollTable};

pub fn made(file: &File, table: PollTable<'_>) -> u32 {
    #[cfg(misuse)]
    let _ = kernel::sync::poll::poll(file, core::ptr::null_mut(), |_| 0); //~ E0603
    //~^ E0133
    #[cfg(not(misuse))]
    let _ = (file, table);
    0
}
