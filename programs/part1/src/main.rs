// SPDX-License-Identifier: MIT OR Apache-2.0

//! Makes exactly five more system calls than `empty`:
//! `getpid`, `getppid`, `getuid`, `uname` and `sched_yield`.
#![forbid(unsafe_code)]

use rustix::{process, system, thread};

fn main() {
    // 1: getpid returns this process's id.
    let _ = process::getpid();
    // 2: getppid returns the parent's id.
    let _ = process::getppid();
    // 3: getuid returns the user's id.
    let _ = process::getuid();
    // 4: uname returns the kernel's name and version.
    let _ = system::uname();
    // 5: sched_yield lets another process run.
    thread::sched_yield();
}
