// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nobody has one value several times that cannot be copied.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{kvec, prelude::*};

pub fn make(page: KBox<u8>) -> Result<KVec<KBox<u8>>> {
    #[cfg(misuse)]
    return Ok(kvec![page; 2]?); //~ E0277
    #[cfg(not(misuse))]
    return Ok(kvec![page]?);
}
