// SPDX-License-Identifier: GPL-2.0-only

//! Fails in init after it took some things, each of which logs when it is dropped.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    new_mutex,
    prelude::*,
    proc_fs::{Mode, Options, Show, ShowFile},
    seq_file::SeqFile,
    seq_print,
    sync::{Arc, Mutex},
    InPlaceModule,
};

module! {
    type: Fails,
    name: "kt_error",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        errno: i32 { default: 0, description: "What init returns, positive; 0 for success" },
        after: u32 { default: 3, description: "How many things are taken before" },
    },
}

/// A thing that logs when it is taken and dropped.
struct Thing(&'static str, KVec<u8>);

impl Thing {
    fn take(name: &'static str, number: u32) -> Result<Self> {
        if *module_parameters::after.value() < number {
            return Err(asked()?);
        }
        pr_info!("took {name}\n");
        Ok(Thing(name, KVec::from_elem(1, 4000, GFP_KERNEL)?))
    }
}

impl Drop for Thing {
    fn drop(&mut self) {
        pr_info!("gave back {} {}\n", self.0, self.1.len());
    }
}

/// Returns the error that the parameter describes.
fn asked() -> Result<Error> {
    match *module_parameters::errno.value() {
        errno @ 1.. => Ok(Error::from_errno(-errno)),
        _ => Err(EINVAL),
    }
}

#[pin_data]
struct Fails {
    first: Thing,
    #[pin]
    second: Mutex<Thing>,
    #[pin]
    file: ShowFile<Text>,
    shared: Arc<Thing>,
    nothing: (),
}

struct Text;

impl Show for Text {
    fn show(&self, m: &SeqFile) -> Result {
        seq_print!(m, "here\n");
        Ok(())
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        pr_info!("gave back the file\n");
    }
}

fn last() -> Result {
    match *module_parameters::errno.value() {
        0 => Ok(()),
        _ => Err(asked()?),
    }
}

impl InPlaceModule for Fails {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = Options::new(c"kt_error", Mode::new::<0o444>());
        try_pin_init!(Self {
            first: Thing::take("first", 1)?,
            second <- new_mutex!(Thing::take("second", 2)?),
            file <- ShowFile::new(options, Text),
            shared: Arc::new(Thing::take("third", 3)?, GFP_KERNEL)?,
            nothing: last()?,
        })
    }
}
