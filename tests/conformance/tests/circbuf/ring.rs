// SPDX-License-Identifier: MIT OR Apache-2.0

//! The ring as a file: its content, and a descriptor at a place in it.

use std::{
    fs::{File, OpenOptions},
    io::{Seek, Write},
    os::unix::fs::FileExt,
};

use koru_testing::Module;
use koru_tests::{expect_eq, expect_ok};

use crate::CONTRACT;

pub const MODULE: &str = "circbuf";

pub fn path() -> &'static str {
    CONTRACT.text("file")
}

#[track_caller]
pub fn load(size: usize) -> Module {
    CONTRACT.load_with(&[&format!("size={size}")])
}

#[track_caller]
pub fn open() -> File {
    let opened = OpenOptions::new().read(true).write(true).open(path());
    expect_ok("open for reading and writing", opened)
}

/// So many bytes of a ring that was not written to, from `start` on.
pub fn fresh(size: usize, start: usize, len: usize) -> Vec<u8> {
    (start..start + len).map(|i| (i % size) as u8).collect()
}

/// All of a ring, from its start.
#[track_caller]
pub fn ring(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    let n = expect_ok("pread of the whole ring", open().read_at(&mut bytes, 0));
    expect_eq("pread of the whole ring", n, size);
    bytes
}

/// Where the position is in the ring. Its end is its start.
#[track_caller]
pub fn place(file: &mut File, size: usize) -> u64 {
    expect_ok("lseek by 0", file.stream_position()) % size as u64
}

#[track_caller]
pub fn write(file: &mut File, bytes: &[u8]) {
    let done = format!("write of {} bytes", bytes.len());
    expect_eq(&done, expect_ok(&done, file.write(bytes)), bytes.len());
}
