// SPDX-License-Identifier: MIT OR Apache-2.0

//! There are three modifiers.
#![no_std]
#![forbid(unsafe_code)]

use kernel::macros::paste;

#[cfg(misuse)]
paste! {
    pub struct [<five:camel>]; //~ "the modifiers are `lower`, `upper` and `span`"
}

#[cfg(not(misuse))]
paste! {
    pub struct [<five:upper>];
}
