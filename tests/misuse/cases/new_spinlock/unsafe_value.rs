// SPDX-License-Identifier: MIT OR Apache-2.0

//! The macro's own unsafe code is no room for the caller's.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{new_spinlock, prelude::*, sync::SpinLock};

pub fn lock() -> impl PinInit<SpinLock<u32>> {
    #[cfg(misuse)]
    return new_spinlock!(unsafe { core::mem::zeroed::<u32>() }); //~ unsafe_code
    #[cfg(not(misuse))]
    return new_spinlock!(0);
}
