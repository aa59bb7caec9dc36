// SPDX-License-Identifier: GPL-2.0-only

//! `/proc/seconds`: for how long the module has been loaded.

#![no_std]
#![forbid(unsafe_code)]

mod since;

use kernel::fmt::Write;
use kernel::fs::{file::Offset, File};
use kernel::prelude::*;
use kernel::proc_fs::{Mode, Operations, Options, ProcFile, Snapshot};
use kernel::str::ArrayString;
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
type Line = ArrayString<21>;

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
        // A read from the start tells the time anew. Any other goes on with the line that
        // was begun, or two numbers' digits would mix.
        snapshot.read(to, pos, || {
            let mut line = Line::new();
            writeln!(line, "{}", self.now())?;
            Ok(line)
        })
    }
}
