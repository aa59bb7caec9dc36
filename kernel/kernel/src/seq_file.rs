// SPDX-License-Identifier: GPL-2.0-only

//! Sequential files: files that print their content.
//!
//! The kernel's `seq_file` keeps what was printed, and returns it in pieces of any size. If the
//! buffer was too small it prints again into a larger one, so printing must have no other effect.
//!
//! C header: `include/linux/seq_file.h`
//!
//! Reference: <https://docs.kernel.org/filesystems/seq_file.html>

use crate::bindings;
use crate::ffi::c_void;
use crate::layout;
use crate::print::{write_pieces, Piece};
use crate::types::{NotThreadSafe, Opaque};
use core::fmt::{self, Write};

/// The sequential file that a show function prints to.
///
/// Context: the show function that it was passed to, which is process context.
///
/// # Examples
///
/// ```
/// use kernel::{seq_file::SeqFile, seq_print};
/// fn show(m: &SeqFile) {
///     seq_print!(m, "answer: {}\n", 42);
/// }
/// ```
#[repr(transparent)]
pub struct SeqFile {
    inner: Opaque<bindings::seq_file>,
    _not_send: NotThreadSafe,
}

impl SeqFile {
    /// Wraps a `struct seq_file *`.
    ///
    /// # Safety
    ///
    /// `ptr` must be valid during `'a`, and nobody else may print to it.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *mut bindings::seq_file) -> &'a SeqFile {
        // SAFETY: by this function's contract the `seq_file` is valid during `'a`. An `Opaque`
        // assumes nothing about the memory that it is in.
        unsafe { &*ptr.cast() }
    }

    /// Returns the data that the file was opened with: the `private` of `struct seq_file`.
    ///
    /// # Safety
    ///
    /// `seq` must be a valid `struct seq_file`.
    #[inline]
    pub(crate) unsafe fn private(seq: *mut bindings::seq_file) -> *mut c_void {
        // SAFETY: `seq` is a `struct seq_file` by this function's contract, and C measured that
        // `private`, a `void *`, is at that offset. Nobody writes it meanwhile: it is set when the
        // file is opened.
        unsafe {
            seq.byte_add(layout::SEQ_FILE_PRIVATE)
                .cast::<*mut c_void>()
                .read()
        }
    }

    /// Prints formatted text; [`seq_print!`](crate::seq_print!) calls it.
    ///
    /// Text that does not fit is not an error: the kernel enlarges the buffer and calls the show
    /// function again.
    pub fn call_printf(&self, args: fmt::Arguments<'_>) {
        let _ = SeqWriter(self).write_fmt(args);
    }

    /// Prints plain integers, and texts with NULs between them; [`seq_print!`] calls it.
    ///
    /// [`seq_print!`]: crate::seq_print
    #[doc(hidden)]
    #[inline(never)]
    pub fn print_integers(&self, texts: &'static str, pieces: &[Piece<'_>]) {
        write_pieces::<true>(texts, pieces, |part| self.write_bytes(part));
    }

    /// Prints pieces, and texts with NULs between them; [`seq_print!`] calls it.
    ///
    /// [`seq_print!`]: crate::seq_print
    #[doc(hidden)]
    #[inline(never)]
    pub fn print_pieces(&self, texts: &'static str, pieces: &[Piece<'_>]) {
        write_pieces::<false>(texts, pieces, |part| self.write_bytes(part));
    }

    /// Prints bytes without any change.
    #[inline]
    pub fn write_bytes(&self, bytes: &[u8]) {
        // SAFETY: `seq_write()` takes a `seq_file` that nobody else prints to, which is the
        // contract of `from_raw`, and bytes that may be read, which those of a slice may. If they
        // do not fit, the `seq_file` remembers that.
        unsafe { bindings::seq_write(self.inner.get(), bytes.as_ptr().cast(), bytes.len()) };
    }
}

struct SeqWriter<'a>(&'a SeqFile);

impl Write for SeqWriter<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.0.write_bytes(s.as_bytes());
        Ok(())
    }
}

/// Prints to a [`SeqFile`], with the arguments of [`fmt!`](crate::fmt!).
///
/// # Examples
///
/// ```
/// use kernel::{seq_file::SeqFile, seq_print};
/// fn show(m: &SeqFile, n: u32) {
///     seq_print!(m, "{n}\n");
/// }
/// ```
#[macro_export]
macro_rules! seq_print {
    ($m:expr, $($arg:tt)+) => (
        $crate::macros::seq_print!($m, $($arg)+)
    );
}
