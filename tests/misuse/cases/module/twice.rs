// SPDX-License-Identifier: MIT OR Apache-2.0

//! A module is one: it has one value, and the loader calls one `init`.
#![no_std]
#![forbid(unsafe_code)]
//@ codegen

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

pub mod other {
    use kernel::prelude::*;

    #[cfg(misuse)]
    module! {
        type: Other, //~ "already defined"
        name: "other",
        license: "GPL",
    }

    pub struct Other;

    impl kernel::Module for Other {
        fn init(_module: &'static ThisModule) -> Result<Self> {
            Ok(Other)
        }
    }
}
