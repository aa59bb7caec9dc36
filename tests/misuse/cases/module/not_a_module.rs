// SPDX-License-Identifier: MIT OR Apache-2.0

//! The type is a module.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

module! {
    type: Case, //~ E0277
    name: "case",
    license: "GPL",
}

pub struct Case;

#[cfg(not(misuse))]
impl kernel::Module for Case {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Case)
    }
}
#[cfg(misuse)]
pub type Unused = Result<&'static ThisModule>;
