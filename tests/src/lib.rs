// SPDX-License-Identifier: MIT OR Apache-2.0

//! Helpers that several guest tests share.
#![deny(unsafe_code)]

mod clock;
mod compat;
mod contract;
mod descriptors;
pub mod files;
mod memory_group;
mod modinfo;
mod processes;
mod signals;
mod slow_memory;
mod ticks;
mod uring;
mod user_memory;

use std::{
    fs::File,
    io::{self, Read},
    process::Command,
};

pub use clock::RealTime;
pub use compat::{Low32Value, compat_ioctl, ioctl};
pub use contract::{
    Contract, errno_by_name, expect_eq, expect_err, expect_errno, expect_ok, expect_out_of_range,
    fail_requirement,
};
pub use descriptors::{inherited_read, receive, send, send_in_flight, take_descriptor};
pub use files::{NOBODY, exists};
pub use koru_testing::kernel_may_say;
pub use memory_group::MemoryGroups;
pub use modinfo::expect_modinfo;
pub use processes::{
    Child, abort_on_panic, bare_child_read, fork_with_id, in_child, next_process_is,
    sync_with_parent,
};
pub use signals::signalled;
pub use slow_memory::SlowMemory;
pub use ticks::{ticks, ticks_per_second, wait_ticks};
pub use uring::{read_by_worker, write_by_worker};
pub use user_memory::{BadPointer, GuardPageBuffer, pread_bad, read_bad, write_bad};

pub use nix::errno::Errno;

/// Returns whether this kernel was built with KASAN.
pub fn has_kasan() -> bool {
    let symbols = std::fs::read_to_string("/proc/kallsyms").expect("the guest has kallsyms");
    symbols
        .lines()
        .any(|line| line.ends_with(" T kasan_report"))
}

/// Returns what `cat` prints: the way most people read a file in /proc.
pub fn cat(path: &str) -> String {
    let output = Command::new("cat")
        .arg(path)
        .output()
        .expect("the guest has cat");
    assert!(output.status.success(), "cat {path}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// Reads a file to its end, by reads of this size.
pub fn read_by(file: &mut File, size: usize) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    let mut buffer = vec![0; size];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(all),
            n => all.extend_from_slice(&buffer[..n]),
        }
    }
}

/// Returns the errno of a call that must fail.
#[track_caller]
pub fn errno<T: std::fmt::Debug>(result: io::Result<T>) -> Errno {
    match raw_errno(result) {
        number if Errno::from_raw(number) == Errno::UnknownErrno => {
            panic!("no errno of user space: {number}")
        }
        number => Errno::from_raw(number),
    }
}

/// Returns the errno with which the load of a module fails whose init returns this one.
///
/// In user space, EEXIST means that a module of this name is loaded. Newer kernels (7.3 does, 6.12
/// does not) make it EBUSY if it is an init's.
pub fn errno_of_init(errno: Errno) -> Errno {
    let release = rustix::system::uname();
    let release = release.release().to_string_lossy().into_owned();
    let major = release
        .split('.')
        .next()
        .and_then(|n| n.parse::<u32>().ok());
    match errno {
        Errno::EEXIST if major.is_some_and(|major| major >= 7) => Errno::EBUSY,
        _ => errno,
    }
}

/// Returns the number of a call's error, which must fail.
///
/// It may be one that user space has no name for.
#[track_caller]
pub fn raw_errno<T: std::fmt::Debug>(result: io::Result<T>) -> i32 {
    let error = result.expect_err("this must fail");
    error
        .raw_os_error()
        .unwrap_or_else(|| panic!("no errno: {error}"))
}
