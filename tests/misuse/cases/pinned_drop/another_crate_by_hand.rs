// SPDX-License-Identifier: MIT OR Apache-2.0

//! `PinnedDrop` is implemented by the attribute, and by nobody who says where it is.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel;
extern crate kernel as pin_init;

pub use kernel::__internal;
use kernel::prelude::*;

#[pin_data(PinnedDrop)]
pub struct One {
    pub a: u8,
}

#[cfg(misuse)]
kernel::__internal::__pinned_drop! { (crate) () //~ unsafe_code
    impl PinnedDrop for One {
        fn drop(self: Pin<&mut Self>) {}
    }
}
#[cfg(not(misuse))]
#[pinned_drop]
impl PinnedDrop for One {
    fn drop(self: Pin<&mut Self>) {}
}
