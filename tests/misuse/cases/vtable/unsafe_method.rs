// SPDX-License-Identifier: MIT OR Apache-2.0

//! It makes room for no unsafe code.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

#[vtable]
pub trait Operations {
    fn start(&self) -> u8 {
        #[cfg(misuse)]
        return unsafe { core::mem::zeroed() }; //~ unsafe_code
        #[cfg(not(misuse))]
        return 0;
    }
}
