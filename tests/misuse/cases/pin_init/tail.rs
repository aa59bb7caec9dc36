// SPDX-License-Identifier: MIT OR Apache-2.0

//! Fields that are not given are zeroed where zero is a value only.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[pin_init::pin_data]
#[cfg_attr(not(misuse), derive(pin_init::Zeroable))]
pub struct Two {
    a: u8,
    #[cfg(misuse)]
    b: &'static u8,
    #[cfg(not(misuse))]
    b: Option<&'static u8>,
}

pub fn two() -> impl pin_init::PinInit<Two> {
    pin_init::pin_init!(Two { //~ E0277
        a: 1,
        ..Zeroable::init_zeroed()
    })
}
