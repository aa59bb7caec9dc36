// SPDX-License-Identifier: MIT OR Apache-2.0

//! Only the loader makes the module's value.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

module! {
    type: Case,
    name: "case",
    license: "GPL",
}

pub struct Case;

impl kernel::Module for Case {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Case)
    }
}

pub static SLOT: kernel::module::Slot<Case> = kernel::module::Slot::new();

pub fn again() {
    #[cfg(misuse)]
    SLOT.exit(); //~ E0133
    let _ = &SLOT;
}
