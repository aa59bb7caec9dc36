// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nor do they put it where the loader looks for something else.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(misuse)]
kernel::sync::global_lock! {
    #[link_section = "__param"] //~ "no rules expected"
    static PARAMETER: Mutex<[usize; 5]> = [0x4141; 5];
}
#[cfg(not(misuse))]
kernel::sync::global_lock! {
    #[cfg(all())]
    static PARAMETER: Mutex<[usize; 5]> = [0x4141; 5];
}
