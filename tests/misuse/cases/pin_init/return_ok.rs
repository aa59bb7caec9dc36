// SPDX-License-Identifier: MIT OR Apache-2.0

//! No `return` in an initialiser claims that all fields are there.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[pin_init::pin_data]
pub struct Two {
    a: u8,
    b: u8,
}

pub fn two(early: bool) -> impl pin_init::PinInit<Two, ()> {
    pin_init::pin_init!(Two {
        a: 1,
        _: {
            if early {
                #[cfg(misuse)]
                return Ok(()); //~ E0308
                #[cfg(not(misuse))]
                return Err(());
            }
        },
        b: 2,
    }? ())
}
