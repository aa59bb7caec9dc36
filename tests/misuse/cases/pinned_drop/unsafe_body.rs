// SPDX-License-Identifier: MIT OR Apache-2.0

//! The body is the user's, and is not in an `unsafe` block.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use core::pin::Pin;

#[pin_init::pin_data(PinnedDrop)]
pub struct One {
    pub a: u8,
}

#[pin_init::pinned_drop]
impl PinnedDrop for One {
    fn drop(self: Pin<&mut Self>) {
        #[cfg(misuse)]
        core::hint::assert_unchecked(true); //~ E0133
        #[cfg(misuse)]
        unsafe { //~ unsafe_code
            core::hint::assert_unchecked(true)
        }
    }
}
