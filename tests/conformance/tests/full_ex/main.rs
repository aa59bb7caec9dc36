// SPDX-License-Identifier: MIT OR Apache-2.0

//! `full_ex`: /proc/full_ex, a deque for every process that opens it.

mod deque;
mod module;
mod owners;

use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    sync::LazyLock,
};

use koru_tests::{Contract, Errno, contract, expect_eq, expect_errno, expect_ok, fail_requirement};

static CONTRACT: LazyLock<Contract> = contract!("full_ex");

fn error(key: &str) -> Errno {
    CONTRACT.errno(&format!("errors.{key}"))
}

fn path() -> &'static str {
    CONTRACT.text("file")
}

fn largest() -> u8 {
    u8::try_from(CONTRACT.number("capacity")).expect("a capacity is one byte")
}

fn try_open() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path())
}

#[track_caller]
fn open() -> File {
    expect_ok("open for reading and writing", try_open())
}

/// An open file whose deque has room for so many.
#[track_caller]
fn deque(capacity: u8) -> File {
    let file = open();
    set_capacity(&file, capacity);
    file
}

#[track_caller]
fn set_capacity(file: &File, capacity: u8) {
    let done = format!("first write: the byte {capacity}");
    expect_eq(&done, expect_ok(&done, write(file, &[capacity])), 1);
}

fn write(mut file: &File, bytes: &[u8]) -> io::Result<usize> {
    file.write(bytes)
}

fn read(mut file: &File, bytes: &mut [u8]) -> io::Result<usize> {
    file.read(bytes)
}

fn try_push(file: &File, value: i32) -> io::Result<usize> {
    write(file, &value.to_ne_bytes())
}

#[track_caller]
fn push(file: &File, value: i32) {
    let done = format!("write of the integer {value}");
    expect_eq(&done, expect_ok(&done, try_push(file, value)), 4);
}

#[track_caller]
fn push_all(file: &File, values: &[i32]) {
    for value in values {
        push(file, *value);
    }
}

fn try_take(file: &File) -> io::Result<i32> {
    let mut bytes = [0; 4];
    match read(file, &mut bytes)? {
        4 => Ok(i32::from_ne_bytes(bytes)),
        n => fail_requirement("read of 4 bytes", "4", &n.to_string()),
    }
}

#[track_caller]
fn take(file: &File) -> i32 {
    expect_ok("read of 4 bytes", try_take(file))
}

/// All that is in it, from the left, which leaves it empty.
#[track_caller]
fn take_all(file: &File) -> Vec<i32> {
    let mut all = Vec::new();
    loop {
        match try_take(file) {
            Ok(value) => all.push(value),
            Err(e) => {
                let done = "read of 4 bytes from an empty deque";
                expect_errno(done, Err::<(), _>(e), error("empty"));
                return all;
            }
        }
        if all.len() > usize::from(u8::MAX) {
            fail_requirement("reading until it is empty", "an end", "no end");
        }
    }
}

/// What a plain deque would hold.
fn model(values: &[i32]) -> Vec<i32> {
    let mut model = VecDeque::new();
    for value in values {
        put(&mut model, *value);
    }
    model.into()
}

fn put(model: &mut VecDeque<i32>, value: i32) {
    if value.rem_euclid(2) == 1 {
        model.push_front(value);
    } else {
        model.push_back(value);
    }
}
