// SPDX-License-Identifier: MIT OR Apache-2.0

//! A parameter has a type that the loader can set.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

#[cfg(misuse)]
module! {
    type: Case,
    name: "case",
    license: "GPL",
    params: {
        number: &'static u32 { //~ "type"
            default: &0,
            description: "A number",
        },
    },
}
#[cfg(not(misuse))]
module! {
    type: Case,
    name: "case",
    license: "GPL",
    params: {
        number: u32 {
            default: 0,
            description: "A number",
        },
    },
}

pub struct Case;

impl kernel::Module for Case {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Case)
    }
}
