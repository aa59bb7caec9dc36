// SPDX-License-Identifier: MIT OR Apache-2.0

//! Bad pointers, which are passed to the kernel on purpose.
#![allow(unsafe_code, reason = "bad pointers are what is tested")]

use std::{
    ffi::c_void,
    io,
    os::fd::{AsFd, AsRawFd},
    ptr,
};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

const PAGE: usize = 4096;

/// An address at which no program has memory.
#[derive(Clone, Copy, Debug)]
pub enum BadPointer {
    Null,
    /// An address in the kernel's half of the address space.
    Kernel,
    /// An address between the two halves, which the processor refuses.
    NonCanonical,
}

impl BadPointer {
    pub const ALL: [BadPointer; 3] = [
        BadPointer::Null,
        BadPointer::Kernel,
        BadPointer::NonCanonical,
    ];

    fn address(self) -> *mut c_void {
        ptr::without_provenance_mut(match self {
            BadPointer::Null => 0,
            BadPointer::Kernel => 0xffff_8880_0000_0000,
            BadPointer::NonCanonical => 0x8000_0000_0000_0000,
        })
    }
}

fn result(n: isize) -> io::Result<usize> {
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// Calls `read` with a bad address.
pub fn read_bad(fd: impl AsFd, to: BadPointer, len: usize) -> io::Result<usize> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the kernel checks the address, and no memory of ours is there.
    result(unsafe { libc::read(fd, to.address(), len) })
}

/// Calls `pread` with a bad address.
pub fn pread_bad(fd: impl AsFd, to: BadPointer, len: usize, at: i64) -> io::Result<usize> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the kernel checks the address, and no memory of ours is there.
    result(unsafe { libc::pread(fd, to.address(), len, at) })
}

/// Calls `write` with a bad address.
pub fn write_bad(fd: impl AsFd, from: BadPointer, len: usize) -> io::Result<usize> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the kernel checks the address.
    result(unsafe { libc::write(fd, from.address(), len) })
}

/// A page of memory that a guard page follows.
pub struct GuardPageBuffer(*mut u8);

impl GuardPageBuffer {
    pub fn new() -> GuardPageBuffer {
        // SAFETY: a new mapping harms nobody.
        let page = unsafe {
            mmap_anonymous(
                ptr::null_mut(),
                2 * PAGE,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )
        }
        .expect("memory");
        // SAFETY: the second page of our own mapping; nothing refers to it.
        unsafe { mprotect(page.byte_add(PAGE), PAGE, MprotectFlags::empty()) }.expect("mprotect");
        GuardPageBuffer(page.cast())
    }

    fn address(&self, writable: usize) -> *mut u8 {
        assert!(writable <= PAGE);
        self.0.wrapping_add(PAGE - writable)
    }

    /// Calls `read` for `len` bytes at an address where only `writable` bytes precede the guard
    /// page.
    pub fn read(&self, fd: impl AsFd, writable: usize, len: usize) -> io::Result<usize> {
        let fd = fd.as_fd().as_raw_fd();
        // SAFETY: the kernel writes into the first page at most, which is ours and
        // has no Rust value in it.
        result(unsafe { libc::read(fd, self.address(writable).cast(), len) })
    }

    /// Calls `pread` for `len` bytes at an address where only `writable` bytes precede the guard
    /// page.
    pub fn pread(&self, fd: impl AsFd, writable: usize, len: usize, at: i64) -> io::Result<usize> {
        let fd = fd.as_fd().as_raw_fd();
        // SAFETY: the kernel writes into the first page at most, which is ours and
        // has no Rust value in it.
        result(unsafe { libc::pread(fd, self.address(writable).cast(), len, at) })
    }

    /// Calls `write` for `len` bytes, of which only the first, `bytes`, are readable.
    pub fn write(&self, fd: impl AsFd, bytes: &[u8], len: usize) -> io::Result<usize> {
        let fd = fd.as_fd().as_raw_fd();
        // SAFETY: `address` leaves space for the bytes in our page; the kernel checks
        // what follows.
        result(unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.address(bytes.len()), bytes.len());
            libc::write(fd, self.address(bytes.len()).cast(), len)
        })
    }

    /// Returns the last `len` bytes before the guard page.
    pub fn bytes(&self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        // SAFETY: they are in our page, which nobody writes now.
        unsafe { ptr::copy_nonoverlapping(self.address(len), bytes.as_mut_ptr(), len) };
        bytes
    }
}

impl Default for GuardPageBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for GuardPageBuffer {
    fn drop(&mut self) {
        // SAFETY: our own mapping, and the last use of it.
        let _ = unsafe { munmap(self.0.cast(), 2 * PAGE) };
    }
}
