// SPDX-License-Identifier: MIT OR Apache-2.0

//! Makes exactly five more system calls than `empty`:
//! `getpid`, `getppid`, `getuid`, `uname` and `sched_yield`.
#![forbid(unsafe_code)]

use rustix::{process, system, thread};

fn main() {
    // 1: getpid, who am I?
    let _ = process::getpid();
    // 2: getppid, who started me?
    let _ = process::getppid();
    // 3: getuid, for which user?
    let _ = process::getuid();
    // 4: uname, on which kernel?
    let _ = system::uname();
    // 5: sched_yield, let another one run.
    thread::sched_yield();
}
