// SPDX-License-Identifier: MIT OR Apache-2.0

//! Memory whose pages appear only when a test provides them, by userfaultfd: a call that copies
//! to them blocks until then.
#![allow(unsafe_code, reason = "userfaultfd and `mmap` are unsafe")]

use std::{
    ffi::c_ulong,
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    panic::resume_unwind,
    ptr, thread,
    time::{Duration, Instant},
};

use koru_testing::skip;
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    mm::{
        Advice, MapFlags, ProtFlags, UserfaultfdFlags, madvise, mmap_anonymous, munmap, userfaultfd,
    },
};

use crate::signals::Interrupted;

const PAGE: usize = 4096;

// The constants of linux/userfaultfd.h.
const API: u64 = 0xaa;
const UFFDIO_API: c_ulong = 0xc018_aa3f;
const UFFDIO_REGISTER: c_ulong = 0xc020_aa00;
const UFFDIO_ZEROPAGE: c_ulong = 0xc020_aa04;
const MODE_MISSING: u64 = 1;
/// The size of a `struct uffd_msg`, and the offset of the address in it.
const MESSAGE_SIZE: usize = 32;
const ADDRESS_OFFSET: usize = 16;

/// Two pages of memory, neither of which is present at first.
pub struct SlowMemory {
    start: usize,
    faults: OwnedFd,
}

impl SlowMemory {
    /// Maps the pages.
    ///
    /// Skips the test if the kernel has no userfaultfd.
    pub fn new() -> SlowMemory {
        // SAFETY: a new mapping harms nobody.
        let start = unsafe {
            mmap_anonymous(
                ptr::null_mut(),
                2 * PAGE,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )
        };
        let start = start.expect("memory").expose_provenance();
        // It can be polled only if it does not block.
        let flags = UserfaultfdFlags::CLOEXEC | UserfaultfdFlags::NONBLOCK;
        // SAFETY: it speaks of our own mapping only.
        let faults = match unsafe { userfaultfd(flags) } {
            Err(Errno::NOSYS) => skip("this kernel has no userfaultfd"),
            faults => faults.expect("userfaultfd"),
        };
        let slow = SlowMemory { start, faults };
        slow.ioctl(UFFDIO_API, [API, 0, 0, 0]).expect("UFFDIO_API");
        let all = [start as u64, 2 * PAGE as u64, MODE_MISSING, 0];
        slow.ioctl(UFFDIO_REGISTER, all).expect("UFFDIO_REGISTER");
        slow
    }

    fn ioctl(&self, request: c_ulong, mut argument: [u64; 4]) -> io::Result<()> {
        // SAFETY: none of the requests takes a larger argument, and what they change
        // is our mapping, in which there is no Rust value.
        match unsafe { libc::ioctl(self.faults.as_raw_fd(), request, &mut argument) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }

    /// Calls `pread` for `len` bytes, to `offset` in this memory.
    pub fn pread(&self, fd: impl AsFd, offset: usize, len: usize, at: i64) -> io::Result<usize> {
        assert!(offset + len <= 2 * PAGE);
        let to = ptr::with_exposed_provenance_mut(self.start + offset);
        // SAFETY: it is in our mapping, and there is no Rust value.
        let n = unsafe { libc::pread(fd.as_fd().as_raw_fd(), to, len, at) };
        usize::try_from(n).map_err(|_| io::Error::last_os_error())
    }

    /// Returns the number of the page that somebody waits for, if that happens soon.
    pub fn wait(&self) -> Option<usize> {
        let mut fds = [PollFd::new(&self.faults, PollFlags::IN)];
        let soon = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 20_000_000,
        };
        if poll(&mut fds, Some(&soon)) != Ok(1) {
            return None;
        }
        let mut message = [0; MESSAGE_SIZE];
        // The waiting thread may be gone: a signal makes it try again.
        rustix::io::read(&self.faults, &mut message).ok()?;
        let address = message[ADDRESS_OFFSET..].first_chunk().expect("a number");
        Some((u64::from_ne_bytes(*address) as usize - self.start) / PAGE)
    }

    /// Provides a page of zeros.
    ///
    /// Whoever waits for it continues.
    pub fn fill(&self, page: usize) {
        let at = (self.start + page * PAGE) as u64;
        match self.ioctl(UFFDIO_ZEROPAGE, [at, PAGE as u64, 0, 0]) {
            Err(e) if e.raw_os_error() != Some(libc::EEXIST) => panic!("UFFDIO_ZEROPAGE: {e}"),
            _ => {}
        }
    }

    /// Removes a page again.
    pub fn remove(&self, page: usize) {
        let at = ptr::with_exposed_provenance_mut(self.start + page * PAGE);
        // SAFETY: it is ours, and there is no Rust value.
        unsafe { madvise(at, PAGE, Advice::LinuxDontNeed) }.expect("madvise");
    }

    /// Makes a call that blocks at the first page, runs `meanwhile`, and lets the call continue.
    ///
    /// The call continues in any case if `meanwhile` takes long, because that may have to wait
    /// for the call. Returns both results.
    pub fn while_blocked<T: Send, U: Send>(
        &self,
        call: impl FnOnce() -> T + Send,
        meanwhile: impl FnOnce() -> U + Send,
    ) -> (T, U) {
        let end = Instant::now() + Duration::from_secs(20);
        thread::scope(|s| {
            let stuck = s.spawn(call);
            while self.wait().is_none() && !stuck.is_finished() {}
            let other = s.spawn(meanwhile);
            while !other.is_finished() && Instant::now() < end {
                thread::sleep(Duration::from_millis(1));
            }
            self.fill(0);
            let joined = (stuck.join(), other.join());
            match joined {
                (Ok(of_call), Ok(of_other)) => (of_call, of_other),
                (Err(panic), _) | (_, Err(panic)) => resume_unwind(panic),
            }
        })
    }

    /// Makes a call whose every copy into this memory, from [`SlowMemory::START`] on, takes so
    /// long that `meanwhile` runs in between.
    ///
    /// The call gets a signal after `copies` of these, and then `copies` more. Returns the
    /// call's result if it returned by then.
    pub fn starve<T: Send>(
        &self,
        copies: usize,
        call: impl FnOnce() -> T + Send,
        meanwhile: impl Fn(),
    ) -> Option<T> {
        thread::scope(|s| {
            let stuck = Interrupted::spawn(s, call);
            for copy in 0..2 * copies {
                if copy == copies {
                    stuck.interrupt();
                }
                // Each page appears when the other one is removed: so both are missed in
                // every copy, and never at once.
                while !stuck.is_finished() && self.next() != Some(1) {}
                meanwhile();
                self.fill(1);
            }
            let ended = stuck.is_finished();
            while !stuck.is_finished() {
                self.fill(0);
                self.fill(1);
                thread::yield_now();
            }
            let result = stuck.join();
            ended.then_some(result)
        })
    }

    /// Waits until somebody waits for a page, and removes the other page.
    ///
    /// The first page is provided at once; the second one is left to the caller.
    fn next(&self) -> Option<usize> {
        let page = self.wait()?;
        self.remove(1 - page);
        if page == 0 {
            self.fill(0);
        }
        Some(page)
    }

    /// The offset that the call of `starve` reads to: the first 32 bytes are in the first page,
    /// and no 8 bytes are in both.
    pub const START: usize = PAGE - 32;
}

impl Default for SlowMemory {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for SlowMemory {
    fn drop(&mut self) {
        let start = ptr::with_exposed_provenance_mut(self.start);
        // SAFETY: our own mapping, and the last use of it.
        let _ = unsafe { munmap(start, 2 * PAGE) };
    }
}
