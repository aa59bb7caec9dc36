// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kernel's fault injection: the n-th allocation, or copy from or to user space, of this
//! thread's next system calls fails.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::FileExt,
};

use koru_protocol::FAULT_MARK;
use nix::errno::Errno;

/// The largest number of allocations of one operation.
const MOST: u32 = 3000;

const DEBUGFS: &str = "/sys/kernel/debug";

/// What is set for each kind of fault, as far as the kernel has it: that allocations may fail which
/// usually do not, and that each fault is logged.
const SETTINGS: [(&str, &str); 6] = [
    ("failslab/ignore-gfp-wait", "N"),
    ("failslab/verbose_ratelimit_interval_ms", "0"),
    ("fail_page_alloc/ignore-gfp-wait", "N"),
    ("fail_page_alloc/min-order", "0"),
    ("fail_page_alloc/verbose_ratelimit_interval_ms", "0"),
    ("fail_usercopy/verbose_ratelimit_interval_ms", "0"),
];

/// The faults of this thread.
pub struct Injection {
    nth: File,
    log: File,
}

impl Injection {
    pub fn new() -> io::Result<Injection> {
        let nth = File::options()
            .read(true)
            .write(true)
            .open("/proc/thread-self/fail-nth")?;
        for (setting, value) in SETTINGS {
            // Not every kernel has each kind of fault.
            let _ = fs::write(format!("{DEBUGFS}/{setting}"), value);
        }
        // Otherwise the kernel drops records of a program that writes many.
        let _ = fs::write("/proc/sys/kernel/printk_devkmsg", "on\n");
        let log = File::options().write(true).open("/dev/kmsg")?;
        Ok(Injection { nth, log })
    }

    /// Makes a call whose `n`-th allocation fails. Returns its result, and whether it came to that
    /// allocation.
    fn call<T>(&mut self, n: u32, call: impl FnOnce() -> T) -> io::Result<(T, bool)> {
        self.nth.write_at(n.to_string().as_bytes(), 0)?;
        let result = call();
        let mut left = [0; 16];
        // The read itself copies to user space, so it may be the one that fails.
        let was_injected = match self.nth.read_at(&mut left, 0) {
            Ok(length) => left[..length].first() == Some(&b'0'),
            Err(_) => false,
        };
        self.end()?;
        Ok((result, was_injected))
    }

    /// Ends the faults of this thread. This write copies from user space too, so it is the one that
    /// fails if the call left a single allocation to go.
    fn end(&self) -> io::Result<()> {
        let end = || self.nth.write_at(b"0", 0).map(|_| ());
        end().or_else(|_| end())
    }
}

/// Makes a call with a fault at its first allocation, then at its second one, and so on until it
/// has no more.
///
/// `prepare` and `undo` run without a fault: `undo` where the call succeeded.
pub fn walk<T>(
    injection: &mut Injection,
    what: &str,
    prepare: impl Fn() -> nix::Result<T>,
    call: impl Fn(&T) -> nix::Result<i64>,
    undo: impl Fn(&T) -> nix::Result<()>,
) -> nix::Result<()> {
    for n in 1..=MOST {
        let prepared = prepare()?;
        let _ = injection
            .log
            .write_all(format!("{FAULT_MARK}{what} {n}\n").as_bytes());
        let (result, was_injected) = injection
            .call(n, || call(&prepared))
            .map_err(|e| errno(&e))?;
        if result.is_ok() {
            undo(&prepared)?;
        }
        let number = if was_injected { n } else { 0 };
        match result {
            Ok(value) => println!("{what} {number} {value}"),
            Err(errno) => println!("{what} {number} {errno:?}"),
        }
        if !was_injected {
            let _ = injection
                .log
                .write_all(format!("{FAULT_MARK}end\n").as_bytes());
            return Ok(());
        }
    }
    println!("{what} {MOST} more");
    Ok(())
}

pub fn errno(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(nix::libc::EIO))
}
