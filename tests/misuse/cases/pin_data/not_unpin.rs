// SPDX-License-Identifier: MIT OR Apache-2.0

//! A struct with a pinned field that may not move may not either.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use core::{marker::PhantomPinned, pin::Pin};

#[pin_init::pin_data]
pub struct One {
    #[cfg_attr(misuse, pin)]
    pub pin: PhantomPinned,
}

pub fn moved(one: Pin<&mut One>) -> &mut One {
    one.get_mut() //~ E0277
}
