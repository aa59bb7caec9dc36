// SPDX-License-Identifier: MIT OR Apache-2.0

//! The building blocks of a test: processes that make calls, in every order.

use std::{ffi::CStr, sync::Arc};

use crate::{
    alloc,
    error::{Error, Result},
    proc_fs::{self, OpenFile},
    task,
    uaccess::{UserSliceReader, UserSliceWriter},
};

/// Runs `run` once for each order in which its threads can continue.
///
/// With a bound, these are only the orders with at most that many switches away from a thread that
/// could continue itself.
pub fn every_order(bound: Option<usize>, run: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = bound;
    builder.check(run);
}

/// Runs `run` so that all but its first `allocations` allocations fail.
pub fn with_memory_for<T>(allocations: usize, run: impl FnOnce() -> T) -> T {
    alloc::let_succeed(Some(allocations));
    let result = run();
    alloc::let_succeed(None);
    result
}

/// Runs a function as a process, on a thread of its own.
pub fn process<T: 'static>(
    number: u32,
    run: impl FnOnce() -> T + 'static,
) -> loom::thread::JoinHandle<T> {
    loom::thread::spawn(move || {
        task::become_process(number);
        run()
    })
}

/// Makes this thread act for that process from now on.
pub fn act_as(number: u32) {
    task::become_process(number);
}

/// A descriptor, which is closed when the last of its duplicates is dropped.
#[derive(Clone)]
pub struct Descriptor(Arc<dyn OpenFile>);

/// Opens a file.
///
/// # Panics
///
/// Panics if no module has a file of this name.
pub fn open(name: &CStr) -> Result<Descriptor, i32> {
    let entry = proc_fs::entry(name).expect("a file of this name");
    entry.open().map(Descriptor).map_err(number)
}

impl Descriptor {
    pub fn read(&self, room: usize) -> Result<Vec<u8>, i32> {
        self.read_at(room, &mut 0)
    }

    /// Reads at a position, and advances it.
    pub fn read_at(&self, room: usize, pos: &mut i64) -> Result<Vec<u8>, i32> {
        let mut to = UserSliceWriter::new(room);
        let len = self.0.read(&mut to, pos).map_err(number)?;
        let got = to.taken();
        assert_eq!(len, got.len(), "it says what it gave");
        Ok(got)
    }

    /// Reads to the end, with reads of up to `room` bytes.
    pub fn read_all(&self, room: usize) -> Vec<u8> {
        let (mut pos, mut all) = (0, Vec::new());
        loop {
            match self.read_at(room, &mut pos).expect("read") {
                part if part.is_empty() => return all,
                part => all.extend(part),
            }
        }
    }

    pub fn write(&self, bytes: &[u8]) -> Result<usize, i32> {
        let mut from = UserSliceReader(bytes.to_vec());
        self.0.write(&mut from).map_err(number)
    }
}

fn number(error: Error) -> i32 {
    error.0
}
