// SPDX-License-Identifier: MIT OR Apache-2.0

//! `drop` cannot move what is pinned.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as pin_init;

use core::{marker::PhantomPinned, pin::Pin};

#[pin_init::pin_data(PinnedDrop)]
pub struct One {
    #[pin]
    pub pin: PhantomPinned,
}

#[pin_init::pinned_drop]
impl PinnedDrop for One {
    fn drop(self: Pin<&mut Self>) {
        #[cfg(misuse)]
        let _: &mut One = Pin::get_mut(self); //~ E0277
        #[cfg(not(misuse))]
        let _: &One = Pin::get_ref(self.as_ref());
    }
}
