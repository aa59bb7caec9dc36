// SPDX-License-Identifier: MIT OR Apache-2.0

//! The symbol that the macro reads cannot be reached beside it.
#![no_std]
#![forbid(unsafe_code)]

pub static MODULE: kernel::ThisModule = kernel::module::this_module!();

#[cfg(misuse)]
extern "C" {
    static __this_module: u8;
}

#[cfg(misuse)]
pub fn first() -> u8 {
    __this_module //~ E0133
}
