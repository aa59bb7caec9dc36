// SPDX-License-Identifier: MIT OR Apache-2.0

//! It shares what other threads may have, and no other values.
#![no_std]
#![forbid(unsafe_code)]

use core::marker::PhantomData;

#[cfg(misuse)]
pub type Of = PhantomData<*mut u8>;
#[cfg(not(misuse))]
pub type Of = PhantomData<u8>;

kernel::sync::global_lock! {
    //~^ E0277
    pub unsafe(uninit) static LOCK: Mutex<Of> = PhantomData;
}
