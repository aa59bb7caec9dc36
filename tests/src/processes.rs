// SPDX-License-Identifier: MIT OR Apache-2.0

//! Forked processes, which share what their parent had open.
#![allow(unsafe_code, reason = "`fork` is unsafe")]

use std::{
    fs,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, AsRawFd},
        unix::net::UnixStream,
    },
    panic::{AssertUnwindSafe, catch_unwind},
};

use koru_testing::skip;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, waitpid};

use crate::files::exists;

/// A forked child with a channel to its parent.
///
/// Dropping this kills the child and waits for it.
pub struct Child {
    pid: Pid,
    /// The parent's end of the channel.
    pub channel: UnixStream,
    ended: bool,
}

impl Child {
    /// Forks.
    ///
    /// The child runs `act` with its end of the channel, and exits.
    pub fn fork(act: impl FnOnce(&mut UnixStream)) -> Child {
        let (channel, mut theirs) = UnixStream::pair().expect("a socket pair");
        // SAFETY: glibc keeps its own locks sound over a fork, and the tests have
        // one thread that uses others.
        match unsafe { libc::fork() } {
            -1 => panic!("fork: {}", io::Error::last_os_error()),
            0 => {
                // Otherwise the child would not see its parent's end close.
                drop(channel);
                let done = catch_unwind(AssertUnwindSafe(|| act(&mut theirs)));
                let _ = io::stderr().flush();
                // SAFETY: it ends the process; nothing of the parent's is undone.
                unsafe { libc::_exit(if done.is_ok() { 0 } else { 101 }) }
            }
            pid => Child {
                pid: Pid::from_raw(pid).expect("not 0"),
                channel,
                ended: false,
            },
        }
    }

    /// Returns the child's process ID.
    pub fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Waits until the child reports by one byte that it got so far.
    #[track_caller]
    pub fn wait_for(&mut self) {
        let mut byte = [0];
        let said = self.channel.read_exact(&mut byte);
        said.unwrap_or_else(|_| panic!("process {} ended before its time", self.id()));
    }

    /// Tells the child that it may continue.
    #[track_caller]
    pub fn go_on(&mut self) {
        let told = self.channel.write_all(b"x");
        told.unwrap_or_else(|_| panic!("process {} ended before its time", self.id()));
    }

    /// Waits for the child to exit, and panics unless it succeeded.
    #[track_caller]
    pub fn join(mut self) {
        let status = self.wait();
        assert_eq!(status.exit_status(), Some(0), "process {}", self.id());
    }

    fn wait(&mut self) -> WaitStatus {
        let waited = waitpid(Some(self.pid), WaitOptions::empty()).expect("a child");
        self.ended = true;
        waited.expect("without NOHANG").1
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.ended {
            let _ = kill_process(self.pid, Signal::KILL);
            self.wait();
        }
    }
}

/// Reports to the parent that this child got so far, and waits until it may continue.
pub fn sync_with_parent(channel: &mut UnixStream) {
    channel.write_all(b"x").expect("the parent");
    channel.read_exact(&mut [0]).expect("the parent");
}

/// Makes a call in a forked child, and returns the call's result.
#[track_caller]
pub fn in_child(act: impl FnOnce() -> io::Result<i32>) -> io::Result<i32> {
    let mut child = Child::fork(|channel| {
        let (kind, number) = match act() {
            Ok(value) => (0, value),
            Err(e) => (1, e.raw_os_error().expect("an errno")),
        };
        let [a, b, c, d] = number.to_ne_bytes();
        channel.write_all(&[kind, a, b, c, d]).expect("the parent");
    });
    let mut answer = [0; 5];
    let got = child.channel.read_exact(&mut answer);
    child.join();
    got.expect("the child's answer");
    let [kind, a, b, c, d] = answer;
    let number = i32::from_ne_bytes([a, b, c, d]);
    match kind {
        0 => Ok(number),
        _ => Err(io::Error::from_raw_os_error(number)),
    }
}

/// Makes the next process get this ID if it is free.
///
/// Skips the test on a kernel where nobody can choose that.
pub fn next_process_is(id: u32) {
    const LAST: &str = "/proc/sys/kernel/ns_last_pid";
    if !exists(LAST) {
        skip("this kernel does not let anybody choose the next process ID");
    }
    fs::write(LAST, (id - 1).to_string()).expect(LAST);
}

/// Forks until the child has this process ID, which must be free.
pub fn fork_with_id(id: i32, act: impl Fn(&mut UnixStream)) -> Child {
    for _ in 0..1000 {
        next_process_is(id.unsigned_abs());
        let child = Child::fork(|channel| {
            if getpid().as_raw_nonzero().get() == id {
                act(channel);
            }
        });
        if child.id() == id {
            return child;
        }
        child.join();
    }
    panic!("no new process got the id {id}");
}

/// Reads 4 bytes in a forked child, and returns the read's result.
///
/// Other threads of this process may be running, so the child makes nothing but system calls.
pub fn bare_child_read(fd: impl AsFd) -> io::Result<usize> {
    let fd = fd.as_fd().as_raw_fd();
    let mut bytes = [0u8; 4];
    // SAFETY: the child makes two system calls, and reads into its own copy of the
    // bytes.
    let child = unsafe {
        match libc::fork() {
            -1 => return Err(io::Error::last_os_error()),
            0 => {
                let n = libc::read(fd, bytes.as_mut_ptr().cast(), bytes.len());
                let errno = if n < 0 { *libc::__errno_location() } else { 0 };
                libc::_exit(errno)
            }
            child => child,
        }
    };
    let waited = waitpid(Pid::from_raw(child), WaitOptions::empty())?;
    match waited.and_then(|(_, status)| status.exit_status()) {
        Some(0) => Ok(4),
        Some(errno) => Err(io::Error::from_raw_os_error(errno)),
        None => panic!("a child was killed"),
    }
}

/// Makes a panic of any thread end this process at once, because the other threads may be
/// waiting for that one.
pub fn abort_on_panic() {
    std::panic::set_hook(Box::new(|info| {
        eprintln!("process {}: {info}", std::process::id());
        // SAFETY: it ends the process.
        unsafe { libc::_exit(101) }
    }));
}
