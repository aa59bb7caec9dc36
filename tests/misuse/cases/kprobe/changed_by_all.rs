// SPDX-License-Identifier: MIT OR Apache-2.0

//! Handlers run on several CPUs at once, so what they change is an atomic.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    kprobe::{Handler, Regs},
    sync::atomic::{Atomic, Relaxed},
};

#[cfg(misuse)]
pub struct Hits(core::cell::Cell<u64>);
#[cfg(misuse)]
impl Handler for Hits { //~ E0277 "cannot be shared between threads safely"
    fn pre_handler(&self, _regs: &Regs) {
        self.0.set(self.0.get() + 1);
    }
}

#[cfg(not(misuse))]
pub struct Hits(Atomic<u64>);
#[cfg(not(misuse))]
impl Handler for Hits {
    fn pre_handler(&self, _regs: &Regs) {
        self.0.add(1, Relaxed);
    }
}
