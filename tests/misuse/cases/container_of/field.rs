// SPDX-License-Identifier: MIT OR Apache-2.0

//! The structure has the field.
#![no_std]
#![forbid(unsafe_code)]

use kernel::container_of;

pub struct Job {
    pub number: u32,
    pub done: bool,
}

pub fn job(_done: *const bool) -> *const Job {
    #[cfg(misuse)]
    return container_of!(_done, Job, finished); //~ E0609
    //~^ E0609
    #[cfg(not(misuse))]
    core::ptr::null()
}
