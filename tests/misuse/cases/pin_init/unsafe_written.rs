// SPDX-License-Identifier: MIT OR Apache-2.0

//! An `unsafe` that is written in an initialiser is the user's own.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[pin_init::pin_data]
pub struct Three {
    a: u8,
    b: u8,
    c: u8,
}

macro_rules! unsafely {
    ($e:expr) => {
        #[cfg(misuse)]
        unsafe { $e } //~ unsafe_code
    };
}

#[cfg(misuse)]
pub fn three() -> impl pin_init::PinInit<Three, ()> {
    pin_init::pin_init!(Three {
        a: unsafe { 1 }, //~ unsafe_code
        b <- unsafe { Ok(2) }, //~ unsafe_code
        _: {
            unsafe {} //~ unsafe_code
        },
        c: unsafely!(3),
    }? ())
}

#[cfg(not(misuse))]
pub fn three() -> impl pin_init::PinInit<Three, ()> {
    pin_init::pin_init!(Three {
        a: 1,
        b <- Ok(2),
        _: {},
        c: 3,
    }? ())
}
