// SPDX-License-Identifier: MIT OR Apache-2.0

//! The value's expression cannot reach what the macro makes for the linker.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(misuse)]
kernel::sync::global_lock! {
    pub static LOCK: Mutex<usize> = &raw const ENTRY as usize; //~ E0425
}
#[cfg(not(misuse))]
kernel::sync::global_lock! {
    pub static LOCK: Mutex<usize> = 0;
}
