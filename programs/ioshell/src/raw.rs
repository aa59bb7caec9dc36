// SPDX-License-Identifier: MIT OR Apache-2.0

//! The system calls that have no safe interface.
#![allow(
    unsafe_code,
    reason = "an ioctl, a mapping and an inherited descriptor are what they are"
)]

use std::{
    num::NonZeroUsize,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
};

use nix::{
    errno::Errno,
    libc,
    sys::mman::{MapFlags, ProtFlags, mmap, munmap},
};

/// The size of the memory around an argument: a module may copy more than it should.
const AROUND: usize = 64 * 1024;

/// Calls an ioctl with a value.
pub fn ioctl_value(fd: BorrowedFd, number: u32, value: i64) -> Result<i64, Errno> {
    // SAFETY: the argument is a plain number here. If the module takes it for an address, it
    // writes to memory of this process at its own risk: the process only carries out steps.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::Ioctl::from(number), value) };
    Errno::result(result).map(i64::from)
}

/// Calls an ioctl with the address of these bytes, which are what the module left there then.
pub fn ioctl_bytes(fd: BorrowedFd, number: u32, bytes: &mut Vec<u8>) -> Result<i64, Errno> {
    let length = bytes.len();
    bytes.resize(length + AROUND, 0);
    // SAFETY: the address is that of a buffer of `length` bytes and many more behind them, which
    // nothing else refers to during the call.
    let result = unsafe {
        libc::ioctl(
            fd.as_raw_fd(),
            libc::Ioctl::from(number),
            bytes.as_mut_ptr(),
        )
    };
    bytes.truncate(length);
    Errno::result(result).map(i64::from)
}

/// Returns the bytes of a file that a mapping shows.
pub fn mapped(fd: impl AsFd, size: usize, at: i64) -> Result<Vec<u8>, Errno> {
    let length = NonZeroUsize::new(size).ok_or(Errno::EINVAL)?;
    // SAFETY: the kernel chooses the address, so the mapping replaces no other one.
    let address = unsafe {
        mmap(
            None,
            length,
            ProtFlags::PROT_READ,
            MapFlags::MAP_SHARED,
            fd,
            at,
        )?
    };
    let bytes = (0..size)
        .map(|i| {
            // SAFETY: the mapping has `size` bytes and stays until all are read. The module may
            // change them meanwhile, so each is read once, as volatile.
            unsafe { address.as_ptr().cast::<u8>().add(i).read_volatile() }
        })
        .collect();
    // SAFETY: the mapping was made above with this length, and nothing refers to it any more.
    unsafe { munmap(address, size)? };
    Ok(bytes)
}

/// Takes over a descriptor that this process was started with.
pub fn inherited(fd: RawFd) -> OwnedFd {
    // SAFETY: the parent names each descriptor once, and this process has opened nothing yet, so
    // nothing else owns it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}
