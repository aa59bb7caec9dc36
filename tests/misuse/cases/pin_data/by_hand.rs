// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nor by asking for what `#[pin_data]` becomes, with a crate of its own.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel;
extern crate kernel as pin_init;

pub use kernel::PinnedDrop;

pub mod __internal {
    pub use kernel::__internal::*;
    pub use kernel::__internal::{Pinned as Unpinned, Unpinned as Pinned};
}

#[cfg_attr(misuse, derive(kernel::__internal::PinData), __pin_data(crate))] //~ unsafe_code
#[cfg_attr(not(misuse), pin_init::pin_data)]
pub struct One {
    #[pin]
    pub a: u8,
}
