// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nor does the closure return it.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    kthread::{KThread, CurrentKThread},
    prelude::*,
};

#[cfg(misuse)]
pub fn start() -> Result<KThread<&'static CurrentKThread>> {
    //~^ E0277
    KThread::spawn(c"returns", |thread| thread) //~ E0277
}
#[cfg(not(misuse))]
pub fn start() -> Result<KThread<bool>> {
    KThread::spawn(c"returns", |thread| thread.should_stop())
}
