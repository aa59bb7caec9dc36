// SPDX-License-Identifier: GPL-2.0-only

//! Logs results of the kernel's arithmetic.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    hash::{hash_long, GOLDEN_RATIO_PRIME},
    math::gcd,
    prelude::*,
};

module! {
    type: Math,
    name: "kt_math",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        a: usize { default: 3300, description: "Of these two" },
        b: usize { default: 24, description: "the greatest common divisor" },
    },
}

struct Math;

impl kernel::Module for Math {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let (a, b) = (*module_parameters::a.value(), *module_parameters::b.value());
        pr_info!("gcd {}\n", gcd(a, b));
        pr_info!("prime {GOLDEN_RATIO_PRIME}\n");
        for bits in [0, 1, 8, 64, 65] {
            pr_info!("hash {bits} {}\n", hash_long(a, bits));
        }
        Ok(Math)
    }
}
