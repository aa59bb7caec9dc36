// SPDX-License-Identifier: MIT OR Apache-2.0

//! An element is the vector's.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{kvec, prelude::*};

pub fn make(page: KBox<u8>) -> Result<(KVec<KBox<u8>>, KBox<u8>)> {
    #[cfg(not(misuse))]
    let other = KBox::new(*page, GFP_KERNEL)?;
    let pages = kvec![page]?;
    #[cfg(misuse)]
    let other = page; //~ E0382
    Ok((pages, other))
}
