// SPDX-License-Identifier: GPL-2.0-only

//! `/proc/minimal_proc_lkm`: what is written to it goes to the kernel log.

#![no_std]
#![forbid(unsafe_code)]

mod shown;

use kernel::fs::{file::Offset, File};
use kernel::prelude::*;
use kernel::print::{record_overhead, MAX_MESSAGE};
use kernel::proc_fs::{Mode, Operations, Options, ProcFile};
use kernel::uaccess::{UserSliceReader, UserSliceWriter};
use kernel::{InPlaceModule, ModuleMetadata};
use shown::Shown;

module! {
    type: MinimalProc,
    name: "minimal_proc_lkm",
    author: "The Koru authors",
    description: "/proc/minimal_proc_lkm: each write becomes one record of the kernel log",
    license: "GPL",
    version: "1.0",
}

/// The module is its file: loaded, it is there; unloaded, it is gone.
#[pin_data]
struct MinimalProc {
    #[pin]
    file: ProcFile<ToLog>,
}

impl InPlaceModule for MinimalProc {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = Options::new(c"minimal_proc_lkm", Mode::new::<0o666>());
        try_pin_init!(Self {
            file <- ProcFile::new(options, ToLog),
        })
    }
}

/// What the record has beside the text: the module's name.
const RECORD_OVERHEAD: usize = record_overhead(MinimalProc::NAME);
/// How many bytes of text are left.
const MAX_TEXT_LEN: usize = MAX_MESSAGE - RECORD_OVERHEAD;

struct ToLog;

#[vtable]
impl Operations for ToLog {
    type Data = ();

    fn open(&self, _file: &File) -> Result {
        Ok(())
    }

    /// What was written is in the log. Here there is nothing to read.
    fn read(
        &self,
        _data: (),
        _file: &File,
        _to: &mut UserSliceWriter,
        _pos: &mut Offset,
    ) -> Result<usize> {
        Ok(0)
    }

    fn write(
        &self,
        _data: (),
        _file: &File,
        from: &mut UserSliceReader,
        pos: &mut Offset,
    ) -> Result<usize> {
        if from.is_empty() {
            return Ok(0);
        }
        // A copy: the caller's memory is not a string, may change while we look,
        // and goes on behind the last byte.
        let len = from.len().min(MAX_TEXT_LEN);
        // With the text that is shown it would be too much for a stack frame.
        let mut bytes = KVec::from_elem(0, len, GFP_KERNEL_ACCOUNT)?;
        let more = from.len() > len;
        from.read_slice(&mut bytes)?;

        let mut shown = Shown::<RECORD_OVERHEAD>::new();
        let taken = shown.take(&bytes, more);
        pr_info!("{}\n", shown.as_str());
        // What did not fit was not taken. A caller's loop brings it again.
        *pos = pos.saturating_add(taken as Offset);
        Ok(taken)
    }
}
