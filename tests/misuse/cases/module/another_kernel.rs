// SPDX-License-Identifier: MIT OR Apache-2.0

//! A crate may call itself `kernel`: what the loader reads is of the real one's types.
#![no_std]
#![forbid(unsafe_code)]

extern crate kernel as real;
extern crate self as kernel;

pub mod module_param {
    pub struct ModuleParamAccess<T>(pub T);

    impl<T> ModuleParamAccess<T> {
        pub const fn new(value: T) -> Self {
            Self(value)
        }

        /// Where the kernel would find pointers to functions.
        pub const fn entry(
            &self,
            _: &'static core::ffi::CStr,
            _: &'static real::ThisModule,
            _: u16,
        ) -> KernelParam {
            [0x4141_4141_4141_4141; 5]
        }
    }

    pub type KernelParam = [usize; 5];
}

mod inner {
    use real::prelude::*;

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

    impl real::Module for Case {
        fn init(_module: &'static ThisModule) -> Result<Self> {
            #[cfg(misuse)]
            let _: &super::module_param::ModuleParamAccess<u32> = &module_parameters::number; //~ E0308
            let _: &real::module_param::ModuleParamAccess<u32> = &module_parameters::number;
            Ok(Case)
        }
    }
}
