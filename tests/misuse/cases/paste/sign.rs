// SPDX-License-Identifier: MIT OR Apache-2.0

//! Signs are no parts of names.
#![no_std]
#![forbid(unsafe_code)]

use kernel::macros::paste;

#[cfg(misuse)]
paste! {
    pub fn [<get - five>]() {} //~ "an identifier, a text or a number is expected here"
}

#[cfg(not(misuse))]
paste! {
    pub fn [<get _ five>]() {}
}
