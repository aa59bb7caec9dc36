// SPDX-License-Identifier: MIT OR Apache-2.0

//! Only the caller knows that the pointer is that of a field, so the macro is unsafe.
#![no_std]
#![forbid(unsafe_code)]

use kernel::container_of;

pub struct Job {
    pub number: u32,
    pub done: bool,
}

pub fn job(_done: *const bool) -> *const Job {
    #[cfg(misuse)]
    return container_of!(_done, Job, done); //~ E0133
    //~^ E0133
    #[cfg(not(misuse))]
    core::ptr::null()
}
