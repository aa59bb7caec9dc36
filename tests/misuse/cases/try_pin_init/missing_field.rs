// SPDX-License-Identifier: MIT OR Apache-2.0

//! All fields are there when it says `Ok`.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use kernel::prelude::*;

#[pin_data]
pub struct Two {
    a: KBox<u8>,
    b: KBox<u8>,
}

pub fn two() -> impl PinInit<Two, Error> {
    try_pin_init!(Two {
        //~^ E0063
        a: KBox::new(1, GFP_KERNEL)?,
        #[cfg(not(misuse))]
        b: KBox::new(2, GFP_KERNEL)?,
    })
}
