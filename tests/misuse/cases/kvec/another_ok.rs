// SPDX-License-Identifier: MIT OR Apache-2.0

//! A module's own `Ok` and `Err` are none of the macro's.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{kvec, prelude::KVec};

#[allow(non_snake_case)]
pub fn Ok<T>(_: T) -> Option<T> {
    None
}

pub struct Err;

pub fn make() -> core::result::Result<KVec<u32>, kernel::alloc::AllocError> {
    #[cfg(misuse)]
    return Ok(kvec![1, 2, 3]); //~ E0308
    #[cfg(not(misuse))]
    return kvec![1, 2, 3];
}
