// SPDX-License-Identifier: MIT OR Apache-2.0

//! The error that is named is the one of the initialiser.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{alloc::AllocError, prelude::*};

pub struct One {
    pub a: KBox<u8>,
}

#[cfg(misuse)]
type Named = AllocError;
#[cfg(not(misuse))]
type Named = Error;

pub fn one() -> impl Init<One, Error> {
    //~^ E0277
    try_init!(One {
        a: KBox::new(1, GFP_KERNEL)?,
    }? Named)
}
