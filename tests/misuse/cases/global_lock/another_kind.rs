// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kinds of lock are the kernel's.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(misuse)]
kernel::sync::global_lock! {
    //~^ "no rules expected"
    pub unsafe(uninit) static LOCK: Cell<u32> = 0;
}
#[cfg(not(misuse))]
kernel::sync::global_lock! {
    pub unsafe(uninit) static LOCK: SpinLock<u32> = 0;
}
