// SPDX-License-Identifier: MIT OR Apache-2.0

//! An initialiser that can fail is for `stack_try_pin_init!`.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

pub fn fallible() {
    #[cfg(misuse)]
    pin_init::stack_pin_init!(let one: u8 = Err::<u8, u8>(1)); //~ E0308
    #[cfg(not(misuse))]
    pin_init::stack_try_pin_init!(let one: u8 = Err::<u8, u8>(1));
    let _ = one;
}
