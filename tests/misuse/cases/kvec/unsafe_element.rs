// SPDX-License-Identifier: MIT OR Apache-2.0

//! An element has no unsafe code of its own.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{alloc::AllocError, kvec, prelude::*};

pub fn make() -> Result<KVec<u8>, AllocError> {
    #[cfg(misuse)]
    return kvec![unsafe { core::mem::zeroed() }; 4]; //~ unsafe_code
    #[cfg(not(misuse))]
    return kvec![0; 4];
}
