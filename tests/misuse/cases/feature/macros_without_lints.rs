// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nor for macros that the lint does not look into.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(misuse, feature(allow_internal_unsafe))] //~ E0725

#[cfg_attr(misuse, allow_internal_unsafe)] //~ unsafe_code
                                           //~^ E0658
macro_rules! read {
    ($($t:tt)*) => {
        $($t)*
    };
}

pub fn first(bytes: &[u8]) -> Option<&u8> {
    read!(bytes.first())
}
