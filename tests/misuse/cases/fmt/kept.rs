// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is to be formatted is borrowed until it was.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{fmt::Arguments, prelude::*};

pub fn make(number: u32) -> usize {
    #[cfg(misuse)]
    let text: Arguments<'static> = fmt!("{}", number + 1); //~ E0716
    #[cfg(not(misuse))]
    let text: Arguments<'_> = fmt!("{}", number);
    size_of_val(&text)
}
