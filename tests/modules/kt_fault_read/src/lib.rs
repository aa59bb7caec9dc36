// SPDX-License-Identifier: GPL-2.0-only

//! /proc/kt_fault_read: a read dereferences a NULL pointer, in C.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    fs::{file::Offset, File},
    prelude::*,
    proc_fs::{self, ProcFile},
    uaccess::UserSliceWriter,
    InPlaceModule,
};

module! {
    type: Reads,
    name: "kt_fault_read",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
}

#[pin_data]
struct Reads {
    #[pin]
    file: ProcFile<Faulty>,
}

impl InPlaceModule for Reads {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = proc_fs::Options::new(c"kt_fault_read", proc_fs::Mode::new::<0o444>());
        try_pin_init!(Self {
            file <- ProcFile::new(options, Faulty),
        })
    }
}

struct Faulty;

#[vtable]
impl proc_fs::Operations for Faulty {
    type Data = ();

    fn open(&self, _file: &File) -> Result {
        Ok(())
    }

    fn read(
        &self,
        _data: (),
        _file: &File,
        _to: &mut UserSliceWriter,
        _pos: &mut Offset,
    ) -> Result<usize> {
        kernel::fault::null_dereference();
        Ok(0)
    }
}
