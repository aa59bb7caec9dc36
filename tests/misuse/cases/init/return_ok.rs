// SPDX-License-Identifier: MIT OR Apache-2.0

//! No `return` in an initialiser claims that all fields are there.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

pub struct One {
    a: u8,
}

pub fn one() -> impl pin_init::Init<One, ()> {
    pin_init::init!(One {
        _: {
            #[cfg(misuse)]
            return Ok(Default::default()); //~ E0277
        },
        a: 1,
    }? ())
}
