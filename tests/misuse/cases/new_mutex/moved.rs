// SPDX-License-Identifier: MIT OR Apache-2.0

//! A lock that was made does not move.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, sync::Mutex};

pub fn swap(one: Pin<KBox<Mutex<u32>>>, two: Pin<KBox<Mutex<u32>>>) {
    let (mut one, mut two) = (one, two);
    #[cfg(misuse)]
    core::mem::swap(&mut *one, &mut *two); //~ E0596
    #[cfg(not(misuse))]
    core::mem::swap(&mut one, &mut two);
}
