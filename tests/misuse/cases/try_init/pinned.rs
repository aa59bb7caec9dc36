// SPDX-License-Identifier: MIT OR Apache-2.0

//! What must stay in its place cannot be made in what may move.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{new_mutex, prelude::*, sync::Mutex};

pub struct One {
    #[cfg(misuse)]
    pub lock: Mutex<u8>,
    #[cfg(not(misuse))]
    pub lock: Pin<KBox<Mutex<u8>>>,
}

pub fn one() -> impl Init<One, Error> {
    try_init!(One {
        #[cfg(misuse)]
        lock <- new_mutex!(1), //~ E0277
        #[cfg(not(misuse))]
        lock: KBox::pin_init(new_mutex!(1), GFP_KERNEL)?,
    })
}
