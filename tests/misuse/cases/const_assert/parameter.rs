// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nor what is false of a parameter, where the function is used with it.
#![no_std]
#![forbid(unsafe_code)]
//@ codegen

use kernel::prelude::*;

pub fn first<const N: usize>(array: &[u8; N]) -> u8 {
    const_assert!(N > 0); //~ E0080
    array[0]
}

#[inline(never)]
pub fn of_an_array() -> u8 {
    #[cfg(misuse)]
    return first(&[]);
    #[cfg(not(misuse))]
    return first(&[1]);
}
