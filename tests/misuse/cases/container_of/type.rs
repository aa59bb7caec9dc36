// SPDX-License-Identifier: MIT OR Apache-2.0

//! The pointer is of the field's type.
#![no_std]
#![forbid(unsafe_code)]

use kernel::container_of;

pub struct Job {
    pub number: u32,
    pub done: bool,
}

pub fn job(_done: *const bool) -> *const Job {
    #[cfg(misuse)]
    return container_of!(_done, Job, number); //~ E0308
    #[cfg(not(misuse))]
    core::ptr::null()
}
