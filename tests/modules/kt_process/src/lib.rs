// SPDX-License-Identifier: GPL-2.0-only

//! /proc/kt_process tells its reader whether it belongs to the process that opened the file.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    fs::{file::Offset, File},
    pid::Pid,
    prelude::*,
    proc_fs::{Mode, Operations, Options, ProcFile},
    str::CString,
    sync::aref::ARef,
    uaccess::UserSliceWriter,
    InPlaceModule,
};

module! {
    type: Process,
    name: "kt_process",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
}

#[pin_data]
struct Process {
    #[pin]
    file: ProcFile<Who>,
}

impl InPlaceModule for Process {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = Options::new(c"kt_process", Mode::new::<0o444>());
        try_pin_init!(Self {
            file <- ProcFile::new(options, Who),
        })
    }
}

struct Who;

struct Opened {
    by: ARef<Pid>,
}

#[vtable]
impl Operations for Who {
    type Data = KBox<Opened>;

    fn open(&self, _file: &File) -> Result<Self::Data> {
        let by = current!().process()?;
        Ok(KBox::new(Opened { by }, GFP_KERNEL)?)
    }

    fn read(
        &self,
        opened: &Opened,
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        let reader = current!().process()?;
        let same = current!().belongs_to(&opened.by);
        if same != (reader == opened.by) || same != (reader.id() == opened.by.id()) {
            return Err(EIO);
        }
        let who = if same { "owner" } else { "stranger" };
        let text = CString::try_from_fmt(fmt!("{who} {} {:?}\n", reader.nr(), reader.clone()))?;
        to.write_slice_file(text.to_bytes(), pos)
    }
}
