// SPDX-License-Identifier: MIT OR Apache-2.0

//! Calls that io_uring's workers make for a process.
#![allow(unsafe_code, reason = "submissions to an io_uring are unsafe")]

use std::{
    fs::File,
    io,
    os::fd::{AsRawFd, RawFd},
};

use io_uring::{IoUring, opcode, squeue, types::Fd};

/// Reads up to `len` bytes at the file's position, by a worker thread of io_uring.
pub fn read_by_worker(file: &File, len: u32) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; len as usize];
    let fd: RawFd = file.as_raw_fd();
    let read = opcode::Read::new(Fd(fd), buffer.as_mut_ptr(), len).offset(u64::MAX);
    let done = run(read.build())?;
    buffer.truncate(done);
    Ok(buffer)
}

/// Writes at the file's position, by a worker thread of io_uring.
pub fn write_by_worker(file: &File, bytes: &[u8]) -> io::Result<usize> {
    let len = u32::try_from(bytes.len()).expect("a short text");
    let write = opcode::Write::new(Fd(file.as_raw_fd()), bytes.as_ptr(), len).offset(u64::MAX);
    run(write.build())
}

fn run(entry: squeue::Entry) -> io::Result<usize> {
    let mut ring = IoUring::new(2)?;
    // ASYNC: not in the calling thread, not even as a first try.
    let entry = entry.flags(squeue::Flags::ASYNC);
    // SAFETY: the buffer is the caller's, who waits until it is done.
    unsafe { ring.submission().push(&entry) }.expect("an empty queue has room");
    ring.submit_and_wait(1)?;
    let done = ring.completion().next().expect("it was waited for");
    usize::try_from(done.result()).map_err(|_| io::Error::from_raw_os_error(-done.result()))
}
