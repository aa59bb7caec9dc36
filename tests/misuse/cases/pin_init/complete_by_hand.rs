// SPDX-License-Identifier: MIT OR Apache-2.0

//! The proof that all fields are there cannot be made without `unsafe`.
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
                return Ok(pin_init::__internal::Complete::new()); //~ E0133
                #[cfg(not(misuse))]
                return Err(());
            }
        },
        b: 2,
    }? ())
}
