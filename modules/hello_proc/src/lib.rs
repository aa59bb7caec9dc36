// SPDX-License-Identifier: GPL-2.0-only

//! `/proc/hello`: says hello, or what was written last.

#![no_std]
#![forbid(unsafe_code)]

mod message;

use kernel::fs::{file::Offset, File};
use kernel::prelude::*;
use kernel::proc_fs::{self, ProcFile, Snapshot};
use kernel::sync::Mutex;
use kernel::uaccess::{UserSliceReader, UserSliceWriter};
use kernel::{new_mutex, InPlaceModule};
use message::Message;

module! {
    type: HelloProc,
    name: "hello_proc",
    author: "The Koru authors",
    description: "/proc/hello: says hello, or what was last written",
    license: "GPL",
    version: "1.0",
}

/// The module's value is its file, which exists while the module is loaded.
#[pin_data]
struct HelloProc {
    #[pin]
    file: ProcFile<Hello>,
}

impl InPlaceModule for HelloProc {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = proc_fs::Options::new(c"hello", proc_fs::Mode::new::<0o666>());
        try_pin_init!(Self {
            file <- ProcFile::new(options, Hello::new()),
        })
    }
}

/// The data that all openers share.
#[pin_data]
struct Hello {
    #[pin]
    message: Mutex<Message>,
}

impl Hello {
    fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            message <- new_mutex!(Message::hello()),
        })
    }
}

#[vtable]
impl proc_fs::Operations for Hello {
    /// The message that an open file returns, for reads that take it in pieces while others write.
    type Data = Pin<KBox<Snapshot<Message>>>;

    fn open(&self, _file: &File) -> Result<Self::Data> {
        // Everybody may open the file, so the memory is charged to the opener.
        KBox::pin_init(Snapshot::new(), GFP_KERNEL_ACCOUNT)
    }

    fn read(
        &self,
        snapshot: Pin<&Snapshot<Message>>,
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        // A read from the start takes the current message; any other continues with the one that
        // was begun. Each is a copy: no lock is held while the reader's memory is written, which
        // may take any time.
        snapshot.read(to, pos, || Ok(*self.message.lock()))
    }

    fn write(
        &self,
        _snapshot: Pin<&Snapshot<Message>>,
        _file: &File,
        from: &mut UserSliceReader,
        pos: &mut Offset,
    ) -> Result<usize> {
        // A write of nothing changes nothing.
        let len = from.len();
        if len > 0 {
            // The whole message is read before anything changes, so a write that fails has no
            // effect.
            let message = Message::read(from)?;
            *self.message.lock() = message;
            *pos = pos.saturating_add(len as Offset);
        }
        Ok(len)
    }
}
