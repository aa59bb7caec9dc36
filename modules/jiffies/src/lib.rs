// SPDX-License-Identifier: GPL-2.0-only

//! `/proc/jiffies`: the timer's ticks by now.

#![no_std]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use kernel::fmt::Write;
use kernel::fs::{file::Offset, File};
use kernel::prelude::*;
use kernel::proc_fs::{Mode, Operations, Options, ProcFile};
use kernel::str::Formatter;
use kernel::time::jiffies64;
use kernel::uaccess::UserSliceWriter;
use kernel::InPlaceModule;

module! {
    type: Module,
    name: "jiffies",
    author: "The Koru authors",
    description: "/proc/jiffies: the current jiffies",
    license: "GPL",
    version: "1.0",
}

/// The module is its file: loaded, it is there; unloaded, it is gone.
#[pin_data]
struct Module {
    #[pin]
    file: ProcFile<Jiffies>,
}

impl InPlaceModule for Module {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = Options::new(c"jiffies", Mode::new::<0o444>());
        try_pin_init!(Self {
            file <- ProcFile::new(options, Jiffies),
        })
    }
}

/// A 64-bit number's digits, and the newline.
const LINE: usize = 21;

struct Jiffies;

#[vtable]
impl Operations for Jiffies {
    /// What an open file tells, for reads that take it in pieces.
    type Data = KBox<AtomicU64>;

    fn open(&self, _file: &File) -> Result<Self::Data> {
        Ok(KBox::new(AtomicU64::new(jiffies64()), GFP_KERNEL)?)
    }

    fn read(
        &self,
        told: &AtomicU64,
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        // A read from the start tells the time anew. Any other goes on with the
        // number that was begun, or two numbers' digits would mix.
        let ticks = match *pos {
            0 => jiffies64(),
            _ => told.load(Relaxed),
        };
        let mut line = [0; LINE];
        let mut line = Formatter::new(&mut line);
        writeln!(line, "{ticks}")?;
        let given = to.write_slice_file(line.as_bytes(), pos)?;
        // Only now: a read that failed, or gave nothing, has begun nothing.
        if given > 0 {
            told.store(ticks, Relaxed);
        }
        Ok(given)
    }
}
