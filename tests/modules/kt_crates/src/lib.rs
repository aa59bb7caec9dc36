// SPDX-License-Identifier: GPL-2.0-only

//! Uses crates from the registry.

#![no_std]
#![forbid(unsafe_code)]

use heapless::{Deque, Vec as Fixed};
use kernel::prelude::*;

module! {
    type: Crates,
    name: "kt_crates",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        number: i64 { default: -42, description: "To be printed" },
    },
}

struct Crates {
    queue: Deque<u32, 4>,
}

impl kernel::Module for Crates {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let mut digits = itoa::Buffer::new();
        pr_info!(
            "itoa {}\n",
            digits.format(*module_parameters::number.value())
        );
        let mut fixed: Fixed<u8, 3> = Fixed::new();
        while fixed.push(fixed.len() as u8).is_ok() {}
        pr_info!("heapless {:?}\n", fixed.as_slice());
        let mut text: heapless::String<8> = heapless::String::new();
        let fits = text.push_str("ring").is_ok();
        pr_info!("text {text} {fits} {}\n", text.push_str(" zero").is_err());
        let mut queue = Deque::new();
        for n in 0..3 {
            queue.push_back(n).map_err(|_| ENOSPC)?;
        }
        Ok(Crates { queue })
    }
}

impl Drop for Crates {
    fn drop(&mut self) {
        while let Some(n) = self.queue.pop_front() {
            pr_info!("left {n}\n");
        }
    }
}
