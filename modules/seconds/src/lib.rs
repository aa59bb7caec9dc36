// SPDX-License-Identifier: GPL-2.0-only

//! `/proc/seconds`: for how long the module has been loaded.

#![no_std]
#![forbid(unsafe_code)]

mod since;

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use kernel::fmt::Write;
use kernel::fs::{file::Offset, File};
use kernel::prelude::*;
use kernel::proc_fs::{Mode, Operations, Options, ProcFile};
use kernel::str::Formatter;
use kernel::time::{jiffies64, HZ};
use kernel::uaccess::UserSliceWriter;
use kernel::InPlaceModule;
use since::whole_seconds;

module! {
    type: Module,
    name: "seconds",
    author: "The Koru authors",
    description: "/proc/seconds: whole seconds since the module was loaded",
    license: "GPL",
    version: "1.0",
}

/// The module is its file: loaded, it is there; unloaded, it is gone.
#[pin_data]
struct Module {
    #[pin]
    file: ProcFile<Seconds>,
}

impl InPlaceModule for Module {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = Options::new(c"seconds", Mode::new::<0o444>());
        try_pin_init!(Self {
            file <- ProcFile::new(options, Seconds { loaded: jiffies64() }),
        })
    }
}

/// A 64-bit number's digits, and the newline.
const LINE: usize = 21;

struct Seconds {
    /// The tick at which the module was loaded.
    loaded: u64,
}

impl Seconds {
    fn now(&self) -> u64 {
        whole_seconds(self.loaded, jiffies64(), HZ as u64)
    }
}

#[vtable]
impl Operations for Seconds {
    /// What an open file tells, for reads that take it in pieces.
    type Data = KBox<AtomicU64>;

    fn open(&self, _file: &File) -> Result<Self::Data> {
        Ok(KBox::new(AtomicU64::new(self.now()), GFP_KERNEL)?)
    }

    fn read(
        &self,
        told: &AtomicU64,
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        // A read from the start looks at the clock; any other goes on with what
        // was begun.
        let seconds = match *pos {
            0 => self.now(),
            _ => told.load(Relaxed),
        };
        let mut line = [0; LINE];
        let mut line = Formatter::new(&mut line);
        writeln!(line, "{seconds}")?;
        let given = to.write_slice_file(line.as_bytes(), pos)?;
        // Only now: a read that failed, or gave nothing, has begun nothing.
        if given > 0 {
            told.store(seconds, Relaxed);
        }
        Ok(given)
    }
}
