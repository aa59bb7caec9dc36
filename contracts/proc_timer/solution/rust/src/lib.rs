// SPDX-License-Identifier: GPL-2.0-only

//! A clock in /proc.

#![no_std]
#![forbid(unsafe_code)]

use core::fmt::Write;
use kernel::fs::{file::Offset, File};
use kernel::prelude::*;
use kernel::proc_fs::{self, ProcFile, Snapshot};
use kernel::str::ArrayString;
use kernel::sync::Mutex;
use kernel::time::{Instant, RealTime, NSEC_PER_SEC};
use kernel::uaccess::UserSliceWriter;
use kernel::{new_mutex, InPlaceModule};

module! {
    type: ProcTimer,
    name: "proc_timer",
    author: "The Koru authors",
    description: "A clock in /proc",
    license: "GPL",
}

#[pin_data]
struct ProcTimer {
    #[pin]
    file: ProcFile<Timer>,
}

impl InPlaceModule for ProcTimer {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = proc_fs::Options::new(c"timer", proc_fs::Mode::new::<0o444>());
        let timer = pin_init!(Timer { last <- new_mutex!(None) });
        try_pin_init!(Self {
            file <- ProcFile::new(options, timer),
        })
    }
}

#[pin_data]
struct Timer {
    /// When somebody read the file last.
    #[pin]
    last: Mutex<Option<Instant<RealTime>>>,
}

#[derive(Clone, Copy)]
struct Lines(ArrayString<96>);

impl AsRef<[u8]> for Lines {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Timer {
    fn lines(&self) -> Result<Lines> {
        let mut last = self.last.lock();
        let now = Instant::<RealTime>::now();
        let mut lines = ArrayString::new();
        let parts = |nanos: i64| (nanos / NSEC_PER_SEC, nanos % NSEC_PER_SEC);
        let (seconds, nanos) = parts(now.as_nanos());
        writeln!(lines, "current time: {seconds}.{nanos:09}")?;
        if let Some(last) = *last {
            let (seconds, nanos) = parts((now - last).as_nanos());
            writeln!(lines, "elapsed time: {seconds}.{nanos:09}")?;
        }
        *last = Some(now);
        Ok(Lines(lines))
    }
}

#[vtable]
impl proc_fs::Operations for Timer {
    /// The lines that an open file shows, for readers that take them in pieces.
    type Data = Pin<KBox<Snapshot<Lines>>>;

    fn open(&self, _file: &File) -> Result<Self::Data> {
        KBox::pin_init(Snapshot::new(), GFP_KERNEL_ACCOUNT)
    }

    fn read(
        &self,
        snapshot: Pin<&Snapshot<Lines>>,
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        snapshot.read(to, pos, || self.lines())
    }
}
