// SPDX-License-Identifier: MIT OR Apache-2.0

//! `&this in` gives an address, which safe code cannot look at.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[pin_init::pin_data]
pub struct One {
    a: u8,
}

pub fn one() -> impl pin_init::PinInit<One> {
    pin_init::pin_init!(&this in One {
        _: {
            #[cfg(misuse)]
            let _ = this.as_ref(); //~ E0133
            #[cfg(not(misuse))]
            let _ = this.as_ptr();
        },
        a: 1,
    })
}
