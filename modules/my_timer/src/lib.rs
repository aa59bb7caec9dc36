// SPDX-License-Identifier: GPL-2.0-only

//! `/proc/timer`: the time, and how long ago it was last read.

#![no_std]
#![forbid(unsafe_code)]

mod line;

use kernel::fs::{file::Offset, File};
use kernel::prelude::*;
use kernel::proc_fs::{Mode, Operations, Options, ProcFile};
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

/// The module is its file: loaded, it is there; unloaded, it is gone.
#[pin_data]
struct MyTimer {
    #[pin]
    file: ProcFile<Timer>,
}

impl InPlaceModule for MyTimer {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = Options::new(c"timer", Mode::new::<0o444>());
        try_pin_init!(Self {
            file <- ProcFile::new(options, Timer::new()),
        })
    }
}

/// What all readers share.
#[pin_data]
struct Timer {
    #[pin]
    last: Mutex<Last>,
}

/// The last reading that someone got.
#[derive(Clone, Copy)]
struct Last {
    /// How many there were. It tells two readings of one moment apart.
    count: u64,
    time: Option<Instant<RealTime>>,
}

/// One open file: what its last reading said, for reads that take it in pieces.
#[pin_data]
struct Opened {
    #[pin]
    text: Mutex<Option<Lines>>,
}

impl Timer {
    fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            last <- new_mutex!(Last { count: 0, time: None }),
        })
    }

    /// Takes a reading and gives it to a reader.
    ///
    /// It counts only once the reader has it, and copying may fail, or wait for a
    /// page. So no lock is held meanwhile; if another reading was counted in
    /// between, this one is made again.
    fn read_clock(&self, give: impl Fn(&Lines) -> Result<usize>) -> Result<(usize, Lines)> {
        loop {
            let last = *self.last.lock();
            let now = Instant::<RealTime>::now();
            let lines = Lines::new(now, last.time.map(|time| now - time))?;
            let given = give(&lines)?;
            if given == 0 {
                // Behind the end: nobody has seen the clock.
                return Ok((0, lines));
            }
            let mut current = self.last.lock();
            if current.count == last.count {
                *current = Last {
                    count: last.count.wrapping_add(1),
                    time: Some(now),
                };
                return Ok((given, lines));
            }
        }
    }
}

#[vtable]
impl Operations for Timer {
    type Data = Pin<KBox<Opened>>;

    fn open(&self, _file: &File) -> Result<Self::Data> {
        KBox::pin_init(
            pin_init!(Opened {
                text <- new_mutex!(None),
            }),
            GFP_KERNEL,
        )
    }

    fn read(
        &self,
        opened: Pin<&Opened>,
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        // A read from the start is a new reading; any other goes on with the one
        // that was begun.
        let begun = if *pos == 0 { None } else { *opened.text.lock() };
        if let Some(lines) = begun {
            return to.write_slice_file(lines.as_bytes(), pos);
        }
        let start = *pos;
        let (given, lines) = self.read_clock(|lines| {
            let mut at = start;
            to.again().write_slice_file(lines.as_bytes(), &mut at)
        })?;
        *pos += given as Offset;
        *opened.text.lock() = Some(lines);
        Ok(given)
    }
}
