// SPDX-License-Identifier: MIT OR Apache-2.0

//! A probe may be kept longer than what is borrowed for it.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    kprobe::{Handler, Regs},
    sync::{
        atomic::{Atomic, Relaxed},
        Arc,
    },
};

#[cfg(misuse)]
pub struct Hits<'a>(&'a Atomic<u64>);
#[cfg(misuse)]
impl<'a> Handler for Hits<'a> { //~ E0478
    //~^ E0803
    fn pre_handler(&self, _regs: &Regs) {
        self.0.add(1, Relaxed);
    }
}

#[cfg(not(misuse))]
pub struct Hits(Arc<Atomic<u64>>);
#[cfg(not(misuse))]
impl Handler for Hits {
    fn pre_handler(&self, _regs: &Regs) {
        self.0.add(1, Relaxed);
    }
}
