// SPDX-License-Identifier: MIT OR Apache-2.0

//! A crate may call itself `pin_init`, and cannot exchange what is pinned and what is not.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel;
#[cfg(not(misuse))]
extern crate kernel as pin_init;
#[cfg(misuse)]
extern crate self as pin_init;

#[cfg(misuse)]
pub mod __internal {
    pub use kernel::__internal::*;
    pub use kernel::__internal::{Pinned as Unpinned, Unpinned as Pinned};
}

#[cfg(misuse)]
pub use kernel::__pin_data;

use kernel::{new_mutex, prelude::*, sync::Mutex};

#[kernel::prelude::pin_data]
pub struct One {
    #[cfg_attr(not(misuse), pin)]
    lock: Mutex<u8>,
}

pub fn one() -> impl PinInit<One> {
    pin_init!(One {
        lock <- new_mutex!(1), //~ E0277
    })
}
