//! Other processes: forked ones, for they share what theirs had open.
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

use crate::exists;

/// A forked child with a line to its parent. It is killed and waited for when
/// this is dropped.
pub struct Child {
    pid: Pid,
    /// The parent's end.
    pub line: UnixStream,
    ended: bool,
}

impl Child {
    /// Forks. The child runs `act` with its end of the line, and ends.
    pub fn fork(act: impl FnOnce(&mut UnixStream)) -> Child {
        let (line, mut theirs) = UnixStream::pair().expect("a socket pair");
        // SAFETY: glibc keeps its own locks sound over a fork, and the tests have
        // one thread that uses others.
        match unsafe { libc::fork() } {
            -1 => panic!("fork: {}", io::Error::last_os_error()),
            0 => {
                // Else the child would not see its parent's end close.
                drop(line);
                let done = catch_unwind(AssertUnwindSafe(|| act(&mut theirs)));
                let _ = io::stderr().flush();
                // SAFETY: it ends the process; nothing of the parent's is undone.
                unsafe { libc::_exit(if done.is_ok() { 0 } else { 101 }) }
            }
            pid => Child {
                pid: Pid::from_raw(pid).expect("not 0"),
                line,
                ended: false,
            },
        }
    }

    /// Its process id.
    pub fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Waits for the child to say that it got so far: one byte.
    #[track_caller]
    pub fn wait_for(&mut self) {
        let mut byte = [0];
        let said = self.line.read_exact(&mut byte);
        said.unwrap_or_else(|_| panic!("process {} ended before its time", self.id()));
    }

    /// Says to the child that it may go on.
    #[track_caller]
    pub fn go_on(&mut self) {
        let told = self.line.write_all(b"x");
        told.unwrap_or_else(|_| panic!("process {} ended before its time", self.id()));
    }

    /// Waits for its end; it must have been a good one.
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

/// In the child: says to the parent that it got so far, and waits until it may
/// go on.
pub fn pause(line: &mut UnixStream) {
    line.write_all(b"x").expect("the parent");
    line.read_exact(&mut [0]).expect("the parent");
}

/// What a forked child gets from a call.
#[track_caller]
pub fn in_child(act: impl FnOnce() -> io::Result<i32>) -> io::Result<i32> {
    let mut child = Child::fork(|line| {
        let (kind, number) = match act() {
            Ok(value) => (0, value),
            Err(e) => (1, e.raw_os_error().expect("an errno")),
        };
        let [a, b, c, d] = number.to_ne_bytes();
        line.write_all(&[kind, a, b, c, d]).expect("the parent");
    });
    let mut answer = [0; 5];
    let got = child.line.read_exact(&mut answer);
    child.join();
    got.expect("the child's answer");
    let [kind, a, b, c, d] = answer;
    let number = i32::from_ne_bytes([a, b, c, d]);
    match kind {
        0 => Ok(number),
        _ => Err(io::Error::from_raw_os_error(number)),
    }
}

/// Has the next process get this id, if it is free. The test is skipped on a kernel where
/// nobody can choose that.
pub fn next_process_is(id: u32) {
    const LAST: &str = "/proc/sys/kernel/ns_last_pid";
    if !exists(LAST) {
        skip("nobody chooses the next process's id on this kernel");
    }
    fs::write(LAST, (id - 1).to_string()).expect(LAST);
}

/// Forks until the child has this process id, which must be free.
pub fn fork_with_id(id: i32, act: impl Fn(&mut UnixStream)) -> Child {
    for _ in 0..1000 {
        next_process_is(id.unsigned_abs());
        let child = Child::fork(|line| {
            if getpid().as_raw_nonzero().get() == id {
                act(line);
            }
        });
        if child.id() == id {
            return child;
        }
        child.join();
    }
    panic!("no new process got the id {id}");
}

/// What a forked child gets from a read of 4 bytes, when other threads go on here:
/// it may do nothing but system calls.
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

/// Lets a panic of any thread end this process at once: the others may wait for
/// that thread.
pub fn end_on_panic() {
    std::panic::set_hook(Box::new(|info| {
        eprintln!("process {}: {info}", std::process::id());
        // SAFETY: it ends the process.
        unsafe { libc::_exit(101) }
    }));
}
