// SPDX-License-Identifier: MIT OR Apache-2.0

//! It is made in its place: the macro gives what makes it.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{new_condvar, prelude::*, sync::CondVar};

#[cfg(misuse)]
pub fn condvar() -> CondVar {
    new_condvar!() //~ E0308
}

#[cfg(not(misuse))]
pub fn condvar() -> impl PinInit<CondVar> {
    new_condvar!()
}
