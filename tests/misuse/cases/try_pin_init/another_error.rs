// SPDX-License-Identifier: MIT OR Apache-2.0

//! What fails in it has an error that becomes its own.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use kernel::prelude::*;

#[pin_data]
pub struct One {
    a: u8,
}

pub fn one(text: &str) -> impl PinInit<One, Error> + '_ {
    try_pin_init!(One {
        #[cfg(misuse)]
        a: text.parse::<u8>().map_err(|_| "no number")?, //~ E0277
        #[cfg(not(misuse))]
        a: text.parse::<u8>().map_err(|_| EINVAL)?,
    })
}
