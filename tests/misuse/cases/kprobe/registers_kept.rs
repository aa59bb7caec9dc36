// SPDX-License-Identifier: MIT OR Apache-2.0

//! The registers are there while the handler runs.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    kprobe::{Handler, Regs},
    sync::Mutex,
};

#[cfg(misuse)]
type Kept = &'static Regs;
#[cfg(not(misuse))]
type Kept = usize;

pub struct Keeps(pub core::pin::Pin<kernel::prelude::KBox<Mutex<Option<Kept>>>>);

impl Handler for Keeps { //~ E0277 "cannot be shared between threads safely"
    fn pre_handler(&self, regs: &Regs) {
        #[cfg(misuse)]
        let kept = regs;
        #[cfg(not(misuse))]
        let kept = regs.argument(0);
        *self.0.lock() = Some(kept); //~ E0521
    }
}
