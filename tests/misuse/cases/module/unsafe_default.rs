// SPDX-License-Identifier: MIT OR Apache-2.0

//! The macro's own unsafe code is no room for the caller's.
#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

#[cfg(misuse)]
module! {
    type: Case,
    name: "case",
    license: "GPL",
    params: {
        number: i32 {
            default: unsafe { core::mem::zeroed() }, //~ unsafe_code
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
        number: i32 {
            default: 0,
            description: "A number",
        },
    },
}

pub struct Case;

impl kernel::Module for Case {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let _ = module_parameters::number.value();
        Ok(Case)
    }
}
