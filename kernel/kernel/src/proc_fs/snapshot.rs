// SPDX-License-Identifier: GPL-2.0-only

//! A snapshot of a file's content, for all reads of an open file.

use crate::error::Result;
use crate::fs::file::Offset;
use crate::new_mutex;
use crate::prelude::*;
use crate::sync::Mutex;
use crate::uaccess::UserSliceWriter;

/// The content that the readers of one open file see, while what it describes keeps changing.
///
/// A program may read a file in pieces of any size. The pieces must be parts of one content, or
/// they mix two of them: half of an old number and half of a new one. So the content is taken when
/// a read begins at the start of the file, and reads at other positions continue with it:
///
/// - A read at position 0 takes a new content. So does any read while there is none.
/// - The new content is kept once the reader has got at least one byte of it. A read of 0 bytes,
///   one after the end, and one that fails keep nothing.
/// - A read at any other position never replaces the kept content, however long it takes: another
///   read may have begun a new one meanwhile.
///
/// This is the [`Operations::Data`](super::Operations::Data) of a file. All that share the open
/// file share the content: threads, forked processes, duplicates of the descriptor. If two of them
/// read from the start at the same time, both continue with the content of the one that finished
/// last.
///
/// `T` is the content; clones of it should be cheap, as those of an `Arc` or a short
/// [`ArrayString`](crate::str::ArrayString) are. (Upstream has no such type.)
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
    /// Returns an initialiser of a snapshot without a content.
    pub fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            kept <- new_mutex!(None),
        })
    }

    /// Serves a read, and returns the number of bytes that were written to `to`, 0 at the end.
    ///
    /// The reader gets the part of the content from `pos` on, as much as fits, and `pos` is moved.
    /// `take` makes a new content, if one has to be taken.
    ///
    /// Context: process context; it may sleep.
    ///
    /// # Errors
    ///
    /// `EFAULT` if the reader's memory cannot be written, or the error of `take`. The position and
    /// the content stay as they were.
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

    /// Serves a read as [`Self::read`] does, for files that learn only by copying whether a new
    /// content counts.
    ///
    /// `begin` performs a whole read that takes a new content: it writes a part of it to the
    /// reader, moves the position, and returns the number of bytes written and the content. If that
    /// number is 0, the content is not kept.
    ///
    /// Context: process context; it may sleep.
    ///
    /// # Errors
    ///
    /// `EFAULT` if the reader's memory cannot be written, or the error of `begin`.
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
        // This is a clone, because the lock must not be held while the reader's memory is written,
        // which may take any time.
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
            // Another read at the start may have begun a new content meanwhile.
            if at_start || kept.is_none() {
                *kept = Some(content);
            }
        }
        Ok(given)
    }
}
