// SPDX-License-Identifier: GPL-2.0-only

//! Creates a file with the name of another module's.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    proc_fs::{Mode, Options, Show, ShowFile},
    seq_file::SeqFile,
    seq_print, InPlaceModule,
};

module! {
    type: SameFile,
    name: "kt_same_file",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        file: &'static CStr { default: c"timer", perm: 0o444, description: "Name in /proc" },
    },
}

#[pin_data]
struct SameFile {
    #[pin]
    file: ShowFile<Text>,
}

struct Text;

impl Show for Text {
    fn show(&self, m: &SeqFile) -> Result {
        seq_print!(m, "somebody else's\n");
        Ok(())
    }
}

impl InPlaceModule for SameFile {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let name = module_parameters::file.value();
        let options = Options::new(name, Mode::new::<0o444>());
        try_pin_init!(Self {
            file <- ShowFile::new(options, Text),
        })
    }
}
