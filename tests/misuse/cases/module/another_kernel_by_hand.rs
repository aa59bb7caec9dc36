// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nobody tells `module!` where the kernel crate is but the kernel crate.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel;
pub use kernel::*;

pub struct Case;

impl kernel::Module for Case {
    fn init(_module: &'static ThisModule) -> error::Result<Self> {
        Ok(Case)
    }
}

pub const __LOG_PREFIX: &[u8] = b"case\0";

mod inner {
    use super::Case;

    #[cfg(misuse)]
    kernel::macros::__module! { (crate) //~ unsafe_code
        type: Case, //~ unsafe_code
        name: "case",
        license: "GPL",
    }
    #[cfg(not(misuse))]
    kernel::macros::module! {
        type: Case,
        name: "case",
        license: "GPL",
    }
}
