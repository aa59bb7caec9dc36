// SPDX-License-Identifier: GPL-2.0-only

//! Files whose content is printed.
//!
//! The kernel's `seq_file` keeps what was printed and hands it out in pieces of
//! any size. When the buffer was too small it prints again into a larger one, so
//! printing must have no effect but the text.
//!
//! C header: [`include/linux/seq_file.h`](https://docs.kernel.org/filesystems/seq_file.html)

use crate::bindings;
use crate::ffi::c_void;
use crate::layout;
use crate::types::{NotThreadSafe, Opaque};
use core::fmt::{self, Write};

/// Where a show function prints to.
///
/// Context: the show function that it was given to, which is process context.
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
    /// It is valid while the result lives, and nobody else prints to it.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *mut bindings::seq_file) -> &'a SeqFile {
        // SAFETY: it is that of a `seq_file` which stays while the result lives, as the
        // caller promises. An `Opaque` assumes nothing of the memory it is in.
        unsafe { &*ptr.cast() }
    }

    /// The data that the file was opened with: `struct seq_file`'s `private`.
    ///
    /// # Safety
    ///
    /// `seq` is a valid `struct seq_file`.
    #[inline]
    pub(crate) unsafe fn private(seq: *mut bindings::seq_file) -> *mut c_void {
        // SAFETY: `seq` is a `struct seq_file` by this function's contract, and C measured
        // that its `private`, a `void *`, is at that offset. Nobody writes it meanwhile: it
        // is set when the file is opened.
        unsafe {
            seq.byte_add(layout::SEQ_FILE_PRIVATE)
                .cast::<*mut c_void>()
                .read()
        }
    }

    /// Prints. Text that does not fit is not an error: the kernel makes room and
    /// asks again. Used through [`seq_print!`](crate::seq_print!).
    pub fn call_printf(&self, args: fmt::Arguments<'_>) {
        let _ = SeqWriter(self).write_fmt(args);
    }

    /// Prints bytes as they are.
    #[inline]
    pub fn write_bytes(&self, bytes: &[u8]) {
        // SAFETY: `seq_write` wants a `seq_file` that nobody else prints to, which
        // `from_raw` was promised, and bytes that may be read, as those of a slice.
        // When they do not fit, the `seq_file` remembers that.
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
        $m.call_printf($crate::macros::fmt!($($arg)+))
    );
}
