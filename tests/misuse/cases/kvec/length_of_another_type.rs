// SPDX-License-Identifier: MIT OR Apache-2.0

//! A length is a `usize`: nothing is cut off.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{kvec, prelude::*};

pub fn make(length: u64) -> Result<KVec<u8>> {
    #[cfg(misuse)]
    return Ok(kvec![0; length]?); //~ E0308
    #[cfg(not(misuse))]
    return Ok(kvec![0; usize::try_from(length).map_err(|_| EINVAL)?]?);
}
