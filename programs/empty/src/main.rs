// SPDX-License-Identifier: MIT OR Apache-2.0

//! Does nothing. The system calls that `strace` shows are those that every program makes before and
//! after its own work.
#![forbid(unsafe_code)]

fn main() {}
