// SPDX-License-Identifier: MIT OR Apache-2.0

//! System calls of 32-bit programs, made by `int 0x80`, which works in 64-bit programs too.
#![allow(unsafe_code, reason = "32-bit system calls have no safe interface")]

use std::{
    arch::asm,
    io,
    os::fd::{AsFd, AsRawFd},
    ptr,
};

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

const IOCTL: i64 = 54;
const PAGE: usize = 4096;

/// A value at an address that fits into 32 bits.
pub struct Low32Value(*mut u64);

impl Low32Value {
    pub fn new(value: u64) -> Low32Value {
        // SAFETY: a new mapping harms nobody.
        let page = unsafe {
            mmap_anonymous(
                ptr::null_mut(),
                PAGE,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::from_bits_retain(libc::MAP_32BIT as u32),
            )
        }
        .expect("memory");
        let low = Low32Value(page.cast());
        // SAFETY: our own mapping.
        unsafe { low.0.write(value) };
        low
    }

    pub fn get(&self) -> u64 {
        // SAFETY: our own mapping; the kernel may have written to it.
        unsafe { self.0.read_volatile() }
    }

    pub fn address(&self) -> u32 {
        u32::try_from(self.0.addr()).expect("MAP_32BIT")
    }
}

impl Drop for Low32Value {
    fn drop(&mut self) {
        // SAFETY: our own mapping, and the last use of it.
        let _ = unsafe { munmap(self.0.cast(), PAGE) };
    }
}

/// Calls `ioctl` as a 32-bit program does.
pub fn compat_ioctl(fd: impl AsFd, command: u32, argument: u32) -> io::Result<i32> {
    let mut result = IOCTL;
    // SAFETY: the call writes at most to where `argument` says; only `Low32Value` gives
    // such addresses. Old kernels clear r8 to r11.
    unsafe {
        asm!(
            "xchg {fd}, rbx",
            "int 0x80",
            "xchg {fd}, rbx",
            fd = inout(reg) i64::from(fd.as_fd().as_raw_fd()) => _,
            inout("rax") result,
            in("rcx") u64::from(command),
            in("rdx") u64::from(argument),
            lateout("r8") _,
            lateout("r9") _,
            lateout("r10") _,
            lateout("r11") _,
        );
    }
    // Only the lower half is a 32-bit program's.
    match result as i32 {
        error @ -4095..0 => Err(io::Error::from_raw_os_error(-error)),
        value => Ok(value),
    }
}

/// Calls `ioctl` with a number as the argument.
pub fn ioctl(fd: impl AsFd, command: u32, argument: usize) -> io::Result<i32> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the tests' commands write to a `Low32Value`, or to where nobody has memory.
    match unsafe { libc::ioctl(fd, libc::Ioctl::from(command), argument) } {
        -1 => Err(io::Error::last_os_error()),
        value => Ok(value),
    }
}
