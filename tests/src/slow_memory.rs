//! Memory whose pages come only when a test lets them come, by userfaultfd: a call
//! that copies there stands still until then.
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

// What linux/userfaultfd.h says.
const API: u64 = 0xaa;
const UFFDIO_API: c_ulong = 0xc018_aa3f;
const UFFDIO_REGISTER: c_ulong = 0xc020_aa00;
const UFFDIO_ZEROPAGE: c_ulong = 0xc020_aa04;
const MODE_MISSING: u64 = 1;
/// A `struct uffd_msg`, and where the address is in it.
const MESSAGE: usize = 32;
const ADDRESS: usize = 16;

/// Two pages of memory, of which none is there at first.
pub struct Slow {
    start: usize,
    faults: OwnedFd,
}

impl Slow {
    /// The test is skipped if the kernel has no userfaultfd.
    pub fn new() -> Slow {
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
        // Only without blocking it can be polled.
        let flags = UserfaultfdFlags::CLOEXEC | UserfaultfdFlags::NONBLOCK;
        // SAFETY: it speaks of our own mapping only.
        let faults = match unsafe { userfaultfd(flags) } {
            Err(Errno::NOSYS) => skip("this kernel has no userfaultfd"),
            faults => faults.expect("userfaultfd"),
        };
        let slow = Slow { start, faults };
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

    /// `pread` of `len` bytes, the first of which come to lie at `offset` in this
    /// memory.
    pub fn pread(&self, fd: impl AsFd, offset: usize, len: usize, at: i64) -> io::Result<usize> {
        assert!(offset + len <= 2 * PAGE);
        let to = ptr::with_exposed_provenance_mut(self.start + offset);
        // SAFETY: it is in our mapping, and there is no Rust value.
        let n = unsafe { libc::pread(fd.as_fd().as_raw_fd(), to, len, at) };
        usize::try_from(n).map_err(|_| io::Error::last_os_error())
    }

    /// The page for which somebody waits, if that happens soon.
    pub fn wait(&self) -> Option<usize> {
        let mut fds = [PollFd::new(&self.faults, PollFlags::IN)];
        let soon = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 20_000_000,
        };
        if poll(&mut fds, Some(&soon)) != Ok(1) {
            return None;
        }
        let mut message = [0; MESSAGE];
        // Who waited may have gone: a signal lets him try again.
        rustix::io::read(&self.faults, &mut message).ok()?;
        let address = message[ADDRESS..].first_chunk().expect("a number");
        Some((u64::from_ne_bytes(*address) as usize - self.start) / PAGE)
    }

    /// Lets a page come: zeros. Who waits for it goes on.
    pub fn fill(&self, page: usize) {
        let at = (self.start + page * PAGE) as u64;
        match self.ioctl(UFFDIO_ZEROPAGE, [at, PAGE as u64, 0, 0]) {
            Err(e) if e.raw_os_error() != Some(libc::EEXIST) => panic!("UFFDIO_ZEROPAGE: {e}"),
            _ => {}
        }
    }

    /// Takes a page away again.
    pub fn take_away(&self, page: usize) {
        let at = ptr::with_exposed_provenance_mut(self.start + page * PAGE);
        // SAFETY: it is ours, and there is no Rust value.
        unsafe { madvise(at, PAGE, Advice::LinuxDontNeed) }.expect("madvise");
    }

    /// Makes a call that stands still at the first page, does something `meanwhile`,
    /// and lets the call go on. It goes on in any case if that takes long: `meanwhile`
    /// may have to wait for it. What both came to.
    pub fn while_stuck<T: Send, U: Send>(
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

    /// Makes a call whose every copy into this memory, from [`Slow::START`] on, takes so
    /// long that `meanwhile` is done in between. After so many of these the call gets
    /// a signal, and then as many again. What the call came to if it ended by then.
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
                // Each page comes when the other one goes: so both are missed in every
                // copy, and never at once.
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

    /// Waits until somebody waits for a page. The other page goes; the first one
    /// comes at once, the second one is the caller's to fill.
    fn next(&self) -> Option<usize> {
        let page = self.wait()?;
        self.take_away(1 - page);
        if page == 0 {
            self.fill(0);
        }
        Some(page)
    }

    /// Where `starve`'s call reads to: the first 32 bytes are in the first page, and
    /// no 8 bytes in both.
    pub const START: usize = PAGE - 32;
}

impl Default for Slow {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        let start = ptr::with_exposed_provenance_mut(self.start);
        // SAFETY: our own mapping, and the last use of it.
        let _ = unsafe { munmap(start, 2 * PAGE) };
    }
}
