// SPDX-License-Identifier: MIT OR Apache-2.0

//! The macro's own unsafe code is no room for the caller's.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{new_mutex, prelude::*, sync::Mutex};

pub fn lock() -> impl PinInit<Mutex<u32>> {
    #[cfg(misuse)]
    return new_mutex!(unsafe { core::mem::zeroed::<u32>() }); //~ unsafe_code
    #[cfg(not(misuse))]
    return new_mutex!(0);
}
