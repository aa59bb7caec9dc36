// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a closure owns is sent to the thread.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(misuse)]
use kernel::types::NotThreadSafe;
use kernel::{kthread::KThread, prelude::*};

#[cfg(misuse)]
pub struct Here(pub u32, pub NotThreadSafe);
#[cfg(not(misuse))]
pub struct Here(pub u32);

impl Here {
    pub fn number(&self) -> u32 {
        self.0
    }
}

pub fn give(here: Here) -> Result<KThread<u32>> {
    KThread::spawn(c"give", move |_| here.number()) //~ E0277
}
