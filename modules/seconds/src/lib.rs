// SPDX-License-Identifier: GPL-2.0-only

//! `/proc/seconds`: the whole seconds since the module was loaded.

#![no_std]
#![forbid(unsafe_code)]

mod since;

use kernel::fs::{file::Offset, File};
use kernel::prelude::*;
use kernel::proc_fs::{self, ProcFile, Snapshot};
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

/// The module's value is its file, which exists while the module is loaded.
#[pin_data]
struct Module {
    #[pin]
    file: ProcFile<Seconds>,
}

impl InPlaceModule for Module {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = proc_fs::Options::new(c"seconds", proc_fs::Mode::new::<0o444>());
        try_pin_init!(Self {
            file <- ProcFile::new(options, Seconds { loaded: jiffies64() }),
        })
    }
}

/// A line with the digits of a 64-bit number and the newline.
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
impl proc_fs::Operations for Seconds {
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
        // A read from the start takes the current time. Any other continues with the line that was
        // begun, so that the digits of two numbers do not mix.
        snapshot.read(to, pos, || {
            let mut line = Line::new();
            line.push_decimal(self.now())?;
            line.push_str("\n")?;
            Ok(line)
        })
    }
}
