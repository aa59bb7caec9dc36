// SPDX-License-Identifier: MIT OR Apache-2.0

//! It does not move: those who wait are linked to it.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, sync::CondVar};

pub fn swap(one: Pin<KBox<CondVar>>, two: Pin<KBox<CondVar>>) {
    let (mut one, mut two) = (one, two);
    #[cfg(misuse)]
    core::mem::swap(&mut *one, &mut *two); //~ E0596
    #[cfg(not(misuse))]
    core::mem::swap(&mut one, &mut two);
}
