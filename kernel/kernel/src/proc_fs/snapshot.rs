// SPDX-License-Identifier: GPL-2.0-only

//! One content for all the reads of an open file.

use crate::error::Result;
use crate::fs::file::Offset;
use crate::new_mutex;
use crate::prelude::*;
use crate::sync::Mutex;
use crate::uaccess::UserSliceWriter;

/// The content that the readers of one open file see, while what it describes goes
/// on changing.
///
/// A program may take a file in pieces of any size. The pieces must be parts of one
/// content, or two of them are mixed: half of an old number and half of a new one.
/// So the content is taken when a read begins at the file's start, and reads at other
/// positions go on with it:
///
/// - A read at position 0 takes a new content. So does any read while there is none.
/// - The new content is kept once the reader has got at least one byte of it. A read
///   of 0 bytes, one behind the end, and one that fails keep nothing.
/// - A read at any other position never replaces the content that is kept, however
///   long it takes: another read may have begun a new one meanwhile.
///
/// This is the [`Operations::Data`](super::Operations::Data) of a file. What shares
/// the open file shares the content: threads, forked processes, duplicates of the
/// descriptor. If two of them read from the start at the same time, both go on with
/// the content of the one that finished last.
///
/// `T` is the content; its clones should be cheap, as those of an `Arc` or a short
/// [`ArrayString`](crate::str::ArrayString) are. (This type is not upstream's.)
///
/// # Examples
///
/// ```
/// use kernel::{fs::{file::Offset, File}, prelude::*, time::jiffies64};
/// use kernel::{fmt::Write, proc_fs::{Operations, Snapshot}, str::ArrayString};
/// use kernel::uaccess::UserSliceWriter;
///
/// struct Ticks;
///
/// #[vtable]
/// impl Operations for Ticks {
///     type Data = Pin<KBox<Snapshot<ArrayString<21>>>>;
///
///     fn open(&self, _file: &File) -> Result<Self::Data> {
///         KBox::pin_init(Snapshot::new(), GFP_KERNEL_ACCOUNT)
///     }
///
///     fn read(
///         &self,
///         snapshot: Pin<&Snapshot<ArrayString<21>>>,
///         _file: &File,
///         to: &mut UserSliceWriter,
///         pos: &mut Offset,
///     ) -> Result<usize> {
///         snapshot.read(to, pos, || {
///             let mut line = ArrayString::new();
///             writeln!(line, "{}", jiffies64())?;
///             Ok(line)
///         })
///     }
/// }
/// ```
#[pin_data]
pub struct Snapshot<T> {
    #[pin]
    kept: Mutex<Option<T>>,
}

impl<T: AsRef<[u8]> + Clone + Unpin> Snapshot<T> {
    /// Creates one without a content.
    pub fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            kept <- new_mutex!(None),
        })
    }

    /// Answers a read: gives the part of the content that begins at `pos`, as much as
    /// there is room for, and moves `pos`. Returns the number of bytes given, 0 at the
    /// end.
    ///
    /// `take` makes a new content, if one is to be taken. May sleep.
    ///
    /// # Errors
    ///
    /// `EFAULT` if the reader's memory cannot be written, or what `take` returns. The
    /// position and the content are then what they were.
    pub fn read(
        &self,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
        take: impl FnOnce() -> Result<T>,
    ) -> Result<usize> {
        self.read_or_begin(to, pos, |to, pos| {
            let content = take()?;
            let given = to.write_slice_file(content.as_ref(), pos)?;
            Ok((given, content))
        })
    }

    /// Answers a read, as [`Self::read`] does, for files that learn only by copying
    /// whether a new content counts.
    ///
    /// `begin` does all of a read that takes a new content: it gives a part of it to
    /// the reader, moves the position, and returns how many bytes it gave, and the
    /// content. If it gave none, the content is not kept. May sleep.
    ///
    /// # Errors
    ///
    /// `EFAULT` if the reader's memory cannot be written, or what `begin` returns.
    pub fn read_or_begin(
        &self,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
        begin: impl FnOnce(&mut UserSliceWriter, &mut Offset) -> Result<(usize, T)>,
    ) -> Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        let at_start = *pos == 0;
        // A clone: the lock is not held while the reader's memory is written, which
        // may take as long as it likes.
        let kept = if at_start {
            None
        } else {
            self.kept.lock().clone()
        };
        if let Some(content) = kept {
            return to.write_slice_file(content.as_ref(), pos);
        }
        let (given, content) = begin(to, pos)?;
        if given > 0 {
            let mut kept = self.kept.lock();
            // Meanwhile a read at the start may have begun another one.
            if at_start || kept.is_none() {
                *kept = Some(content);
            }
        }
        Ok(given)
    }
}
