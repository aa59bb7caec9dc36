// SPDX-License-Identifier: MIT OR Apache-2.0

//! All fields are there when it says `Ok`.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

pub struct Two {
    pub a: KBox<u8>,
    pub b: KBox<u8>,
}

pub fn two() -> impl Init<Two, Error> {
    try_init!(Two {
        //~^ E0063
        a: KBox::new(1, GFP_KERNEL)?,
        #[cfg(not(misuse))]
        b: KBox::new(2, GFP_KERNEL)?,
    })
}
