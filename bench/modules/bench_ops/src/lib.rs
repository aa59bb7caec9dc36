// SPDX-License-Identifier: GPL-2.0-only

//! `/proc/bench_ops`: does what modules are made of, as often as a write says.
//!
//! `koru bench` compares it with `bench/c/bench_ops/fair`, which has the same operations in C.
//!
//! A write of two bytes names an operation and how often it is done. A longer write is copied into
//! a buffer of 64 KiB, and a read copies from that buffer.

#![no_std]
#![forbid(unsafe_code)]

use kernel::fs::{file::Offset, File};
use kernel::prelude::*;
use kernel::proc_fs::{self, ProcFile};
use kernel::sync::{Arc, Mutex};
use kernel::uaccess::{UserSliceReader, UserSliceWriter};
use kernel::{new_mutex, InPlaceModule};

module! {
    type: BenchOps,
    name: "bench_ops",
    author: "The Koru authors",
    description: "/proc/bench_ops: does what modules are made of, as often as a write says",
    license: "GPL",
    version: "1.0",
}

/// The module's value is its file, which exists while the module is loaded.
#[pin_data]
struct BenchOps {
    #[pin]
    file: ProcFile<Operations>,
}

impl InPlaceModule for BenchOps {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = proc_fs::Options::new(c"bench_ops", proc_fs::Mode::new::<0o600>());
        try_pin_init!(Self {
            file <- ProcFile::new(options, Operations::new()?),
        })
    }
}

/// The number of bytes of the buffer.
const BUFFER_SIZE: usize = 64 << 10;

/// The number of elements that one operation pushes.
const PUSHES: u32 = 1000;

#[pin_data]
struct Operations {
    #[pin]
    buffer: Mutex<KVVec<u8>>,
    #[pin]
    count: Mutex<u64>,
}

impl Operations {
    fn new() -> Result<impl PinInit<Self>> {
        let buffer = KVVec::from_elem(0, BUFFER_SIZE, GFP_KERNEL)?;
        Ok(pin_init!(Self {
            buffer <- new_mutex!(buffer),
            count <- new_mutex!(0),
        }))
    }

    /// Does an operation `times` times.
    fn do_often(&self, operation: u8, times: u8) -> Result {
        match operation {
            0 => Ok(()),
            1 => repeat(times, || {
                pr_info!("a constant text\n");
                Ok(())
            }),
            2 => repeat(times, || {
                pr_info!("the number {times}\n");
                Ok(())
            }),
            3 => repeat(times, || {
                *self.count.lock() += 1;
                Ok(())
            }),
            4 => repeat(times, || {
                drop(KBox::new(u64::from(times), GFP_KERNEL)?);
                Ok(())
            }),
            5 => repeat(times, || {
                let mut numbers = KVec::new();
                for number in 0..PUSHES {
                    numbers.push(number, GFP_KERNEL)?;
                }
                Ok(())
            }),
            6 => repeat(times, || {
                let one = Arc::new(u64::from(times), GFP_KERNEL)?;
                let other = one.clone();
                drop(one);
                drop(other);
                Ok(())
            }),
            _ => Err(EINVAL),
        }
    }
}

fn repeat(times: u8, operation: impl Fn() -> Result) -> Result {
    for _ in 0..times {
        operation()?;
    }
    Ok(())
}

#[vtable]
impl proc_fs::Operations for Operations {
    type Data = ();

    fn open(&self, _file: &File) -> Result {
        Ok(())
    }

    fn read(
        &self,
        _data: (),
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        to.write_slice_file(&self.buffer.lock(), pos)
    }

    fn write(
        &self,
        _data: (),
        _file: &File,
        from: &mut UserSliceReader,
        pos: &mut Offset,
    ) -> Result<usize> {
        if from.len() > size_of::<[u8; 2]>() {
            return from.read_slice_file(&mut self.buffer.lock(), pos);
        }
        let [operation, times] = from.read::<[u8; 2]>()?;
        self.do_often(operation, times)?;
        Ok(size_of::<[u8; 2]>())
    }
}
