// SPDX-License-Identifier: GPL-2.0-only

//! Logs some numbers of the kernel when it is loaded, and some when it is unloaded.

#![no_std]
#![forbid(unsafe_code)]

use kernel::hash::GOLDEN_RATIO_PRIME;
use kernel::math::gcd;
use kernel::prelude::*;
use kernel::time::{jiffies64, HZ};

module! {
    type: Simple,
    name: "simple",
    author: "The Koru authors",
    description: "Logs GOLDEN_RATIO_PRIME, HZ, jiffies, and a greatest common divisor",
    license: "GPL",
    version: "1.0",
}

struct Simple {
    /// The tick at which the module was loaded.
    loaded: u64,
}

impl kernel::Module for Simple {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let loaded = jiffies64();
        pr_info!("GOLDEN_RATIO_PRIME = {GOLDEN_RATIO_PRIME}\n");
        pr_info!("HZ = {HZ}\n");
        pr_info!("jiffies = {loaded}\n");
        Ok(Simple { loaded })
    }
}

impl Drop for Simple {
    fn drop(&mut self) {
        let now = jiffies64();
        // This is right even if the count has wrapped, because the difference wraps as well.
        let ticks = now.wrapping_sub(self.loaded);
        let hz = HZ as u64;
        let (seconds, remainder) = (ticks / hz, ticks % hz);
        pr_info!("gcd(3300, 24) = {}\n", gcd(3300, 24));
        pr_info!("jiffies = {now}\n");
        pr_info!(
            "loaded for {ticks} jiffies, {seconds}.{:03} s\n",
            remainder * 1000 / hz
        );
    }
}
