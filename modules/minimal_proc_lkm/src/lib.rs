// SPDX-License-Identifier: GPL-2.0-only

//! `/proc/minimal_proc_lkm`: each write becomes a record of the kernel log.

#![no_std]
#![forbid(unsafe_code)]

mod shown;

use kernel::fs::{file::Offset, File};
use kernel::prelude::*;
use kernel::print::{record_overhead, MAX_MESSAGE};
use kernel::proc_fs::{self, ProcFile};
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

/// The module's value is its file, which exists while the module is loaded.
#[pin_data]
struct MinimalProc {
    #[pin]
    file: ProcFile<ToLog>,
}

impl InPlaceModule for MinimalProc {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = proc_fs::Options::new(c"minimal_proc_lkm", proc_fs::Mode::new::<0o666>());
        try_pin_init!(Self {
            file <- ProcFile::new(options, ToLog),
        })
    }
}

/// The length of what a record contains besides the text: the module's name.
const RECORD_OVERHEAD: usize = record_overhead(MinimalProc::NAME);
/// The maximum length of the text, in bytes.
const MAX_TEXT_LEN: usize = MAX_MESSAGE - RECORD_OVERHEAD;

struct ToLog;

#[vtable]
impl proc_fs::Operations for ToLog {
    type Data = ();

    fn open(&self, _file: &File) -> Result {
        Ok(())
    }

    /// Returns nothing, because what was written is in the log.
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
        // The caller's memory is copied: it is not a string, may change meanwhile, and continues
        // after the last byte.
        let len = from.len().min(MAX_TEXT_LEN);
        // This is on the heap, because together with the record it would be too large for a stack
        // frame.
        let mut bytes = KVec::from_elem(0, len, GFP_KERNEL_ACCOUNT)?;
        let more = from.len() > len;
        from.read_slice(&mut bytes)?;

        let shown = Shown::new(&bytes, more, RECORD_OVERHEAD);
        let taken = shown.taken();
        pr_info!("{shown}\n");
        // Bytes that did not fit were not taken; a caller that loops writes them again.
        *pos = pos.saturating_add(taken as Offset);
        Ok(taken)
    }
}
