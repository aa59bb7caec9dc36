// SPDX-License-Identifier: MIT OR Apache-2.0

//! A parameter's file cannot be written: the module holds references to the value.
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
            default: 0,
            perm: 0o644, //~ "writable"
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
            perm: 0o444,
            description: "A number",
        },
    },
}

pub struct Case;

impl kernel::Module for Case {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        #[cfg(not(misuse))]
        let _ = module_parameters::number.value();
        Ok(Case)
    }
}
