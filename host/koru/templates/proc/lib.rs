//! /proc/@NAME@: a read returns the last message that was written.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    fs::{file::Offset, File},
    new_mutex,
    prelude::*,
    proc_fs::{self, ProcFile},
    sync::Mutex,
    uaccess::{UserSliceReader, UserSliceWriter},
    InPlaceModule,
};

module! {
    type: @TYPE@,
    name: "@NAME@",
    authors: ["You"],
    description: "A file in /proc that can be read and written",
    license: "GPL",
}

/// The module owns its file: the file exists while the module is loaded.
#[pin_data]
struct @TYPE@ {
    #[pin]
    file: ProcFile<Shared>,
}

impl InPlaceModule for @TYPE@ {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = proc_fs::Options::new(c"@NAME@", proc_fs::Mode::new::<0o666>());
        try_pin_init!(Self {
            file <- ProcFile::new(options, Shared::new()),
        })
    }
}

/// The data that all openers of the file share.
#[pin_data]
struct Shared {
    #[pin]
    message: Mutex<Message>,
}

/// The length of the longest message, in bytes.
const MAX_LEN: usize = 100;

#[derive(Clone, Copy)]
struct Message {
    text: [u8; MAX_LEN],
    length: usize,
}

impl Shared {
    fn new() -> impl PinInit<Self> {
        let mut text = [0; MAX_LEN];
        let hello = b"Hello from @NAME@\n";
        text[..hello.len()].copy_from_slice(hello);
        pin_init!(Self {
            message <- new_mutex!(Message { text, length: hello.len() }),
        })
    }
}

#[vtable]
impl proc_fs::Operations for Shared {
    /// The data of one open file: none here.
    type Data = ();

    fn open(&self, _file: &File) -> Result {
        Ok(())
    }

    fn read(
        &self,
        _data: (),
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        // The message is copied, so that the lock is not held while user memory is
        // written.
        let message = *self.message.lock();
        to.write_slice_file(&message.text[..message.length], pos)
    }

    fn write(
        &self,
        _data: (),
        _file: &File,
        from: &mut UserSliceReader,
        _pos: &mut Offset,
    ) -> Result<usize> {
        let length = from.len();
        if length > MAX_LEN {
            return Err(EMSGSIZE);
        }
        // The text is read to a copy first, so that a bad pointer changes nothing.
        let mut text = [0; MAX_LEN];
        from.read_slice(&mut text[..length])?;
        *self.message.lock() = Message { text, length };
        pr_info!("a message of {} bytes\n", length);
        Ok(length)
    }
}
