// SPDX-License-Identifier: GPL-2.0-only

//! Has both kinds of files in /proc, and counts what is open.

#![no_std]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering::SeqCst};
use kernel::{
    fs::{file, file::Offset, File},
    new_mutex,
    prelude::*,
    proc_fs::{Mode, Operations, Options, ProcFile, Show, ShowFile, Whence},
    seq_file::SeqFile,
    seq_print,
    str::BStr,
    sync::Mutex,
    uaccess::{UserSliceReader, UserSliceWriter},
    InPlaceModule,
};

module! {
    type: Proc,
    name: "kt_proc",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        hint: usize { default: 0, description: "The size hint of the large file" },
    },
}

#[pin_data]
struct Proc {
    #[pin]
    large: ShowFile<Large>,
    #[pin]
    failing: ShowFile<Failing>,
    #[pin]
    own: ProcFile<Own>,
    #[pin]
    counts: ShowFile<Counts>,
    #[pin]
    pieces: ShowFile<Pieces>,
}

impl InPlaceModule for Proc {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let large = Options::new(c"kt_proc_large", Mode::new::<0o400>());
        let large = large.size_hint(*module_parameters::hint.value());
        try_pin_init!(Self {
            large <- ShowFile::new(large, Large),
            failing <- ShowFile::new(Options::new(c"kt_proc_failing", Mode::new::<0o444>()), Failing),
            own <- ProcFile::new(Options::new(c"kt_proc_own", Mode::new::<0o622>()), Own::new()),
            counts <- ShowFile::new(Options::new(c"kt_proc_counts", Mode::new::<0o444>()), Counts),
            pieces <- ShowFile::new(Options::new(c"kt_proc_pieces", Mode::new::<0o444>()), Pieces),
        })
    }
}

impl Drop for Summary {
    fn drop(&mut self) {
        pr_info!(
            "opened {} released {} freed {}\n",
            OPENED.load(SeqCst),
            RELEASED.load(SeqCst),
            FREED.load(SeqCst)
        );
    }
}

/// A file of 20000 lines, about 300 KB.
struct Large;

impl Show for Large {
    fn show(&self, m: &SeqFile) -> Result {
        for n in 0..20_000 {
            seq_print!(m, "line {n:06} {}\n", n % 7);
        }
        Ok(())
    }
}

/// A file that prints, and then fails.
struct Failing;

impl Show for Failing {
    fn show(&self, m: &SeqFile) -> Result {
        seq_print!(m, "not to be seen\n");
        Err(ENODATA)
    }
}

/// A file of what is printed without core's formatting.
struct Pieces;

impl Show for Pieces {
    fn show(&self, m: &SeqFile) -> Result {
        let text = "a\n\u{9b}\0é";
        let bytes = BStr::from_bytes(text.as_bytes());
        seq_print!(m, "{text}|{}|{:?}\n", &bytes, ENODATA);
        seq_print!(m, "{b:03}{}{:?}", -5i8, 7, b = -7);
        seq_print!(m, "\n");
        // One of the arguments needs core's formatting, so all are printed by that.
        seq_print!(m, "{text}|{}|{:?}|{:x}\n", &bytes, ENODATA, 255);
        Ok(())
    }
}

static OPENED: AtomicU64 = AtomicU64::new(0);
static RELEASED: AtomicU64 = AtomicU64::new(0);
static FREED: AtomicU64 = AtomicU64::new(0);

struct Counts;

impl Show for Counts {
    fn show(&self, m: &SeqFile) -> Result {
        let count = |counter: &AtomicU64| counter.load(SeqCst);
        seq_print!(
            m,
            "{} {} {}\n",
            count(&OPENED),
            count(&RELEASED),
            count(&FREED)
        );
        Ok(())
    }
}

/// A file with 1000 bytes that all openers share.
#[pin_data]
struct Own {
    #[pin]
    memory: Mutex<KVec<u8>>,
    /// Dropped with the file's data, after the last release.
    summary: Summary,
}

struct Summary;

/// The data of one open file: its number, and how often it was read and written.
struct Opened {
    number: u64,
    calls: AtomicU64,
    /// An allocation, so that a leak or a second free would show.
    _room: KVec<u8>,
}

impl Drop for Opened {
    fn drop(&mut self) {
        FREED.fetch_add(1, SeqCst);
    }
}

const SIZE: usize = 1000;

impl Own {
    fn new() -> impl PinInit<Self, Error> {
        OPENED.store(0, SeqCst);
        RELEASED.store(0, SeqCst);
        FREED.store(0, SeqCst);
        try_pin_init!(Self {
            memory <- new_mutex!(KVec::from_elem(b'.', SIZE, GFP_KERNEL)?),
            summary: Summary,
        })
    }
}

#[vtable]
impl Operations for Own {
    type Data = KBox<Opened>;

    fn open(&self, file: &File) -> Result<KBox<Opened>> {
        // Those who ask not to wait get nothing.
        if file.flags() & file::flags::O_NONBLOCK != 0 {
            return Err(EAGAIN);
        }
        let opened = Opened {
            number: OPENED.load(SeqCst),
            calls: AtomicU64::new(0),
            _room: KVec::with_capacity(500, GFP_KERNEL)?,
        };
        let opened = KBox::new(opened, GFP_KERNEL)?;
        OPENED.fetch_add(1, SeqCst);
        Ok(opened)
    }

    fn read(
        &self,
        opened: &Opened,
        file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        opened.calls.fetch_add(1, SeqCst);
        // A read at position 5000 and above returns who one is.
        if *pos >= 5000 {
            let text = kernel::str::CString::try_from_fmt(fmt!(
                "{} {} {}\n",
                opened.number,
                opened.calls.load(SeqCst),
                file.flags() & file::flags::O_ACCMODE
            ))?;
            let mut at = *pos - 5000;
            let n = to.write_slice_file(text.to_bytes(), &mut at)?;
            *pos = at + 5000;
            return Ok(n);
        }
        let memory = self.memory.lock();
        to.write_slice_file(&memory, pos)
    }

    fn write(
        &self,
        opened: &Opened,
        _file: &File,
        from: &mut UserSliceReader,
        pos: &mut Offset,
    ) -> Result<usize> {
        opened.calls.fetch_add(1, SeqCst);
        if !from.is_empty() && *pos >= SIZE as Offset {
            return Err(ENOSPC);
        }
        let mut memory = self.memory.lock();
        // The whole write is copied first: others must not see one that faults in the middle.
        let mut copy = KVec::with_capacity(SIZE, GFP_KERNEL)?;
        copy.extend_from_slice(&memory, GFP_KERNEL)?;
        let n = from.read_slice_file(&mut copy, pos)?;
        *memory = copy;
        Ok(n)
    }

    fn lseek(
        &self,
        _opened: &Opened,
        file: &File,
        offset: Offset,
        whence: Whence,
    ) -> Result<Offset> {
        let base = match whence {
            Whence::Set => 0,
            Whence::Cur => file.pos(),
            Whence::End => SIZE as Offset,
        };
        let to = base.checked_add(offset).ok_or(EOVERFLOW)?;
        if (0..=6000).contains(&to) {
            Ok(to)
        } else {
            Err(EINVAL)
        }
    }

    fn release(&self, opened: KBox<Opened>, _file: &File) {
        RELEASED.fetch_add(1, SeqCst);
        drop(opened);
    }
}
