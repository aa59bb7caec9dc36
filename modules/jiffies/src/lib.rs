// SPDX-License-Identifier: GPL-2.0-only

//! `/proc/jiffies`: the current number of the timer's ticks.

#![no_std]
#![forbid(unsafe_code)]

use kernel::fs::{file::Offset, File};
use kernel::prelude::*;
use kernel::proc_fs::{self, ProcFile, Snapshot};
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

/// The module's value is its file, which exists while the module is loaded.
#[pin_data]
struct Module {
    #[pin]
    file: ProcFile<Jiffies>,
}

impl InPlaceModule for Module {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = proc_fs::Options::new(c"jiffies", proc_fs::Mode::new::<0o444>());
        try_pin_init!(Self {
            file <- ProcFile::new(options, Jiffies),
        })
    }
}

/// A line with the digits of a 64-bit number and the newline.
type Line = ArrayString<21>;

struct Jiffies;

#[vtable]
impl proc_fs::Operations for Jiffies {
    /// The line that an open file returns, for reads that take it in pieces.
    type Data = Pin<KBox<Snapshot<Line>>>;

    fn open(&self, _file: &File) -> Result<Self::Data> {
        // Everybody may open the file, so the memory is charged to the opener.
        KBox::pin_init(Snapshot::new(), GFP_KERNEL_ACCOUNT)
    }

    fn read(
        &self,
        snapshot: Pin<&Snapshot<Line>>,
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        // A read from the start takes the current ticks. Any other continues with the line that was
        // begun, so that the digits of two numbers do not mix.
        snapshot.read(to, pos, || {
            let mut line = Line::new();
            line.push_decimal(jiffies64())?;
            line.push_str("\n")?;
            Ok(line)
        })
    }
}
