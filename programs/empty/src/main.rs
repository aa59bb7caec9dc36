// SPDX-License-Identifier: MIT OR Apache-2.0

//! Does nothing. What `strace` shows of it is what every program does before and
//! after its own work.
#![forbid(unsafe_code)]

fn main() {}
