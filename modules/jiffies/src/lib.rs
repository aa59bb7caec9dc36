// SPDX-License-Identifier: GPL-2.0-only

//! `/proc/jiffies`: the timer's ticks by now.

#![no_std]
#![forbid(unsafe_code)]

use kernel::fmt::Write;
use kernel::fs::{file::Offset, File};
use kernel::prelude::*;
use kernel::proc_fs::{Mode, Operations, Options, ProcFile, Snapshot};
use kernel::str::ArrayString;
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
type Line = ArrayString<21>;

struct Jiffies;

#[vtable]
impl Operations for Jiffies {
    /// The line that an open file gives, for reads that take it in pieces.
    type Data = Pin<KBox<Snapshot<Line>>>;

    fn open(&self, _file: &File) -> Result<Self::Data> {
        // Everybody may open the file: it is the opener's memory that this counts as.
        KBox::pin_init(Snapshot::new(), GFP_KERNEL_ACCOUNT)
    }

    fn read(
        &self,
        snapshot: Pin<&Snapshot<Line>>,
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        // A read from the start tells the ticks anew. Any other goes on with the line that
        // was begun, or two numbers' digits would mix.
        snapshot.read(to, pos, || {
            let mut line = Line::new();
            writeln!(line, "{}", jiffies64())?;
            Ok(line)
        })
    }
}
