// SPDX-License-Identifier: MIT OR Apache-2.0

//! No keyword is made, least of all `unsafe`.
#![no_std]
#![forbid(unsafe_code)]

use kernel::macros::paste;

#[cfg(misuse)]
paste! {
    pub fn read() -> u8 {
        [<un safe>] { core::ptr::null::<u8>().read() } //~ "`unsafe` is not an identifier"
    }
}

#[cfg(not(misuse))]
paste! {
    pub fn read() -> u8 {
        [<fi ve>]()
    }
}

pub fn five() -> u8 {
    5
}
