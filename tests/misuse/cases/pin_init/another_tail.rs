// SPDX-License-Identifier: MIT OR Apache-2.0

//! There is one tail, and nobody's own.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[pin_init::pin_data]
#[derive(pin_init::Zeroable)]
pub struct Two {
    a: u8,
    b: u8,
}

pub fn two() -> impl pin_init::PinInit<Two> {
    #[cfg(misuse)]
    return pin_init::pin_init!(Two {
        a: 1,
        ..Two { a: 1, b: 2 } //~ "the only tail"
    });
    #[cfg(not(misuse))]
    return pin_init::pin_init!(Two {
        a: 1,
        ..Zeroable::init_zeroed()
    });
}
