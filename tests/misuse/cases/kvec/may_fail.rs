// SPDX-License-Identifier: MIT OR Apache-2.0

//! There may be no memory.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{kvec, prelude::*};

pub fn make() -> Result<KVec<u32>> {
    #[cfg(misuse)]
    let numbers: KVec<u32> = kvec![1, 2, 3]; //~ E0308
    #[cfg(not(misuse))]
    let numbers: KVec<u32> = kvec![1, 2, 3]?;
    Ok(numbers)
}
