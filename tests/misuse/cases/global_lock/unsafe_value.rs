// SPDX-License-Identifier: MIT OR Apache-2.0

//! The macro's own unsafe code is no room for the caller's.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(misuse)]
kernel::sync::global_lock! {
    pub unsafe(uninit) static LOCK: Mutex<u32> = unsafe { core::mem::zeroed() }; //~ unsafe_code
}
#[cfg(not(misuse))]
kernel::sync::global_lock! {
    pub unsafe(uninit) static LOCK: Mutex<u32> = 0;
}
