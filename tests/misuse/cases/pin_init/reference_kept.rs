// SPDX-License-Identifier: MIT OR Apache-2.0

//! A reference to an earlier field is not kept outside.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

#[pin_init::pin_data]
pub struct One {
    a: u8,
}

pub fn one<'a>(keep: &'a mut Option<&'a u8>) -> impl pin_init::PinInit<One> + 'a {
    pin_init::pin_init!(One {
        a: 1, //~ E0505
        _: {
            #[cfg(misuse)]
            {
                *keep = Some(a);
            }
            #[cfg(not(misuse))]
            {
                *keep = None;
                let _ = a;
            }
        },
    })
}
