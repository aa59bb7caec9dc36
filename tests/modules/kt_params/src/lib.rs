// SPDX-License-Identifier: GPL-2.0-only

//! Has a parameter of each type, and logs their values when it is loaded.

#![no_std]
#![forbid(unsafe_code)]

use kernel::prelude::*;

module! {
    type: Params,
    name: "kt_params",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        a_i8: i8 { default: -1, perm: 0o444, description: "An i8" },
        a_u8: u8 { default: 2, description: "A u8" },
        a_i16: i16 { default: -3, description: "An i16" },
        a_u16: u16 { default: 4, description: "A u16" },
        a_i32: i32 { default: -5, description: "An i32" },
        a_u32: u32 { default: 6, description: "A u32" },
        a_i64: i64 { default: -7, description: "An i64" },
        a_u64: u64 { default: 8, description: "A u64" },
        an_isize: isize { default: -9, description: "An isize" },
        a_usize: usize { default: 10, description: "A usize" },
        a_bool: bool { default: false, description: "A bool" },
        a_text: &'static CStr { default: c"nothing", description: "A text" },
        some_i8: [i8; 3] { default: [-1, 0, 1], description: "Three i8" },
        some_u64: [u64; 2] { default: [7; 2], perm: 0o400, description: "Two u64" },
        some_bool: [bool; 2] { default: [true, false], description: "Two bools" },
        hidden: u32 { default: 11, perm: 0, description: "Not in sysfs" },
        private: u32 { default: 12, perm: 0o400, description: "For root alone" },
    },
}

struct Params;

impl kernel::Module for Params {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        use module_parameters as p;
        pr_info!("a_i8={}\n", *p::a_i8.value());
        pr_info!("a_u8={}\n", *p::a_u8.value());
        pr_info!("a_i16={}\n", *p::a_i16.value());
        pr_info!("a_u16={}\n", *p::a_u16.value());
        pr_info!("a_i32={}\n", *p::a_i32.value());
        pr_info!("a_u32={}\n", *p::a_u32.value());
        pr_info!("a_i64={}\n", *p::a_i64.value());
        pr_info!("a_u64={}\n", *p::a_u64.value());
        pr_info!("an_isize={}\n", *p::an_isize.value());
        pr_info!("a_usize={}\n", *p::a_usize.value());
        pr_info!("a_bool={}\n", *p::a_bool.value());
        pr_info!("a_text={}\n", p::a_text.value().to_str()?);
        pr_info!("some_i8={:?}\n", p::some_i8.value());
        pr_info!("some_u64={:?}\n", p::some_u64.value());
        pr_info!("some_bool={:?}\n", p::some_bool.value());
        pr_info!("hidden={}\n", *p::hidden.value());
        pr_info!("private={}\n", *p::private.value());
        Ok(Params)
    }
}
