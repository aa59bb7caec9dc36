// SPDX-License-Identifier: GPL-2.0-only

//! `/proc/timer`: the current time, and how long ago it was last read.

#![no_std]
#![forbid(unsafe_code)]

mod line;

use kernel::fs::{file::Offset, File};
use kernel::prelude::*;
use kernel::proc_fs::{self, ProcFile, Snapshot};
use kernel::sync::Mutex;
use kernel::time::{Instant, RealTime};
use kernel::uaccess::UserSliceWriter;
use kernel::{new_mutex, InPlaceModule};
use line::Lines;

module! {
    type: MyTimer,
    name: "my_timer",
    author: "The Koru authors",
    description: "/proc/timer: the current time, and the time since the last read",
    license: "GPL",
    version: "1.0",
}

/// The module's value is its file, which exists while the module is loaded.
#[pin_data]
struct MyTimer {
    #[pin]
    file: ProcFile<Timer>,
}

impl InPlaceModule for MyTimer {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = proc_fs::Options::new(c"timer", proc_fs::Mode::new::<0o444>());
        try_pin_init!(Self {
            file <- ProcFile::new(options, Timer::new()),
        })
    }
}

/// The data that all readers share.
#[pin_data]
struct Timer {
    #[pin]
    last: Mutex<Last>,
}

/// The last reading that a reader got.
#[derive(Clone, Copy)]
struct Last {
    /// The number of readings, which distinguishes two readings at the same time.
    count: u64,
    time: Option<Instant<RealTime>>,
}

impl Timer {
    fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            last <- new_mutex!(Last { count: 0, time: None }),
        })
    }

    /// Takes a reading, and writes it to a reader.
    ///
    /// The reading counts only once the reader has it, and copying may fail, or wait for a page. So
    /// no lock is held meanwhile, and if another reading was counted in between, this one is
    /// repeated.
    fn read_clock(&self, to: &UserSliceWriter, pos: &mut Offset) -> Result<(usize, Lines)> {
        loop {
            let last = *self.last.lock();
            let now = Instant::<RealTime>::now();
            let lines = Lines::new(now, last.time.map(|time| now - time))?;
            let mut end = *pos;
            let given = to
                .clone_writer()
                .write_slice_file(lines.as_ref(), &mut end)?;
            if given == 0 {
                // This read was after the end, so nobody has seen the clock.
                return Ok((0, lines));
            }
            let mut current = self.last.lock();
            if current.count == last.count {
                *current = Last {
                    count: last.count.wrapping_add(1),
                    time: Some(now),
                };
                *pos = end;
                return Ok((given, lines));
            }
            drop(current);
            // Each round means that somebody else got a reading. That may happen again and again to
            // a reader whose memory is slow, so a signal can stop it.
            if current!().signal_pending() {
                return Err(ERESTARTSYS);
            }
        }
    }
}

#[vtable]
impl proc_fs::Operations for Timer {
    /// The reading that an open file returns, for reads that take it in pieces.
    type Data = Pin<KBox<Snapshot<Lines>>>;

    fn open(&self, _file: &File) -> Result<Self::Data> {
        // Everybody may open the file, so the memory is charged to the opener.
        KBox::pin_init(Snapshot::new(), GFP_KERNEL_ACCOUNT)
    }

    fn read(
        &self,
        snapshot: Pin<&Snapshot<Lines>>,
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        // A read from the start takes a new reading; any other continues with the one that was
        // begun.
        snapshot.read_or_begin(to, pos, |to, pos| self.read_clock(to, pos))
    }
}
