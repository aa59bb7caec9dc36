// SPDX-License-Identifier: MIT OR Apache-2.0

//! `=?` returns the error, as `?` does.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[cfg(misuse)]
pub fn fallible() -> Result<(), ()> {
    pin_init::stack_try_pin_init!(let one: u8 =? Err::<u8, u8>(1)); //~ E0277
    let _ = one;
    Ok(())
}

#[cfg(not(misuse))]
pub fn fallible() -> Result<(), u16> {
    pin_init::stack_try_pin_init!(let one: u8 =? Err::<u8, u8>(1));
    let _ = one;
    Ok(())
}
