// SPDX-License-Identifier: MIT OR Apache-2.0

//! Who claims a method that he has not calls what never links.
#![no_std]
#![forbid(unsafe_code)]
//@ build-error: run

use kernel::prelude::*;

#[vtable]
pub trait Operations {
    fn start(&self) -> u32 {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }
}

pub struct Nothing;

#[vtable]
impl Operations for Nothing {
    #[cfg(misuse)]
    const HAS_START: bool = true;
}

#[inline(never)]
pub fn run(nothing: &Nothing) -> u32 {
    match Nothing::HAS_START {
        true => nothing.start(),
        false => 0,
    }
}
