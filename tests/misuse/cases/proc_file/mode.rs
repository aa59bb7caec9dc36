// SPDX-License-Identifier: MIT OR Apache-2.0

//! A mode has permission bits, and at least one.
#![no_std]
#![forbid(unsafe_code)]

use kernel::proc_fs::{Mode, Options};

#[cfg(misuse)]
const MODE: Mode = Mode::new::<0o4755>(); //~? E0080 "a mode must be 0o1 to 0o777"
#[cfg(not(misuse))]
const MODE: Mode = Mode::new::<0o755>();

pub fn options() -> Options {
    Options::new(c"example", MODE)
}
