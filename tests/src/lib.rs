//! What several guest tests need.
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
pub use compat::{Low, compat_ioctl, ioctl};
pub use contract::{Contract, broken, errno_by_name, fails, gives, refuses, too_large, works};
pub use descriptors::{in_flight, inherited_read, receive, send, taken_from};
pub use koru_testing::kernel_may_say;
pub use memory_group::MemoryGroups;
pub use modinfo::modinfo;
pub use processes::{
    Child, bare_child_read, end_on_panic, fork_with_id, in_child, next_process_is, pause,
};
pub use signals::signalled;
pub use slow_memory::Slow;
pub use ticks::{ticks, ticks_per_second, wait_ticks};
pub use uring::{read_by_worker, write_by_worker};
pub use user_memory::{Bad, Guarded, pread_bad, read_bad, write_bad};

pub use nix::errno::Errno;

pub const EIO: i32 = 5;
pub const EAGAIN: i32 = 11;
pub const ENOMEM: i32 = 12;
pub const EACCES: i32 = 13;
pub const EFAULT: i32 = 14;
pub const EEXIST: i32 = 17;
pub const EINVAL: i32 = 22;
pub const ENOSPC: i32 = 28;
pub const ERANGE: i32 = 34;

/// Somebody who is not root: `nobody`.
pub const NOBODY: u32 = 65534;

/// Whether a path is there at all.
pub fn exists(path: &str) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

/// Whether KASAN watches over this kernel's memory.
pub fn has_kasan() -> bool {
    let symbols = std::fs::read_to_string("/proc/kallsyms").expect("the guest has kallsyms");
    symbols
        .lines()
        .any(|line| line.ends_with(" T kasan_report"))
}

/// What `cat` prints; the way most people read a file in /proc.
pub fn cat(path: &str) -> String {
    let output = Command::new("cat")
        .arg(path)
        .output()
        .expect("the guest has cat");
    assert!(output.status.success(), "cat {path}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// All of a file, by reads of this size.
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

/// The errno of what must fail.
#[track_caller]
pub fn errno<T: std::fmt::Debug>(result: io::Result<T>) -> i32 {
    let error = result.expect_err("this must fail");
    error
        .raw_os_error()
        .unwrap_or_else(|| panic!("no errno: {error}"))
}
