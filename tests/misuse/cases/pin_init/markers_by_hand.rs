// SPDX-License-Identifier: MIT OR Apache-2.0

//! Only `#[pin_data]` says which fields are pinned.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use pin_init::__internal::{HasPinData, Unpinned};

pub struct Markers;

impl Markers {
    pub fn a(self) -> Unpinned {
        Unpinned
    }
}

#[cfg_attr(not(misuse), pin_init::pin_data)]
pub struct One {
    a: u8,
}

#[cfg(misuse)]
unsafe impl HasPinData for One { //~ unsafe_code
    type Markers = Markers;
    const MARKERS: Markers = Markers;
}

pub fn one() -> impl pin_init::PinInit<One> {
    pin_init::pin_init!(One { a: 1 })
}
