// SPDX-License-Identifier: GPL-2.0-only

//! Printing to the kernel log: `dmesg`, the console, the journal.
//!
//! Each call creates one record. The text is formatted on the stack and passed to `printk` in one
//! piece, so lines of different CPUs never mix. A message that is longer than [`MAX_MESSAGE`] bytes
//! is truncated at a character boundary, never split.
//!
//! As in C, a message ends with `\n`. Without it, the record stays open for
//! [`pr_cont!`](crate::pr_cont), and is not shown until the next one comes.
//!
//! Arguments cannot forge records: a control character in an argument is printed as `\n`, `\u{1b}`
//! and so on. Newlines and tabs in the format string itself are printed as they are.
//!
//! Context: any, also interrupts, for all macros.
//!
//! C header: `include/linux/printk.h`
//!
//! Reference: <https://docs.kernel.org/core-api/printk-basics.html>

mod macros;

use crate::bindings;
use core::ffi::CStr;
use core::fmt::{self, Formatter, Write};

/// The prefix of the messages of this crate itself.
pub(crate) const __LOG_PREFIX: &[u8] = b"rust_kernel\0";

/// The maximum length of a message in bytes, with the prefix and the newline.
///
/// Every supported kernel stores that much in one record. This is the smallest limit: kernels
/// before 6.3 truncate at 1024 bytes minus a prefix, which takes 48 with `CONFIG_PRINTK_CALLER`,
/// and count the two bytes of the level and the NUL.
pub const MAX_MESSAGE: usize = 1024 - 48 - 3;

/// The maximum length of a message, as [`kmsg_len`] counts it, that readers of /dev/kmsg get
/// completely.
///
/// `dmesg` and the journal are such readers. The limit is the buffer of newer kernels minus the
/// header of the record.
pub const MAX_KMSG: usize = 2048 - 96;

/// Returns the length of a text in /dev/kmsg, in bytes.
///
/// There, every byte that is not printable ASCII is `\xNN`, and so is the backslash.
///
/// # Examples
///
/// ```
/// assert!(kernel::print::kmsg_len("naïve") == 12);
/// ```
pub fn kmsg_len(text: &str) -> usize {
    let plain = |b: u8| matches!(b, b' '..=b'~') && b != b'\\';
    text.bytes().map(|b| if plain(b) { 1 } else { 4 }).sum()
}

/// Returns the length of the prefix of the module `name`, with the newline at the end of a message.
///
/// What remains of [`MAX_MESSAGE`] and [`MAX_KMSG`] is for the text.
///
/// # Examples
///
/// ```
/// use kernel::{print::{record_overhead, MAX_MESSAGE}, ModuleMetadata};
/// fn fits<M: ModuleMetadata>(text: &str) -> bool {
///     text.len() <= MAX_MESSAGE - record_overhead(M::NAME)
/// }
/// ```
pub const fn record_overhead(name: &CStr) -> usize {
    name.count_bytes() + ": ".len() + "\n".len()
}

/// The levels of the kernel log.
#[doc(hidden)]
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Level {
    Emerg = 0,
    Alert = 1,
    Crit = 2,
    Err = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
    Debug = 7,
    Cont = bindings::KORU_PRINT_CONT,
}

/// A buffer for one record.
pub(crate) struct Record<const N: usize> {
    text: [u8; N],
    len: usize,
    cut: bool,
}

impl<const N: usize> Record<N> {
    pub(crate) const fn new() -> Self {
        Self {
            text: [0; N],
            len: 0,
            cut: false,
        }
    }

    pub(crate) fn text(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or_default()
    }

    /// Appends the newline of a message that was truncated, which ends the record.
    pub(crate) fn close(&mut self) {
        if self.cut {
            if let Some(last) = self.text.get_mut(self.len) {
                *last = b'\n';
                self.len += 1;
            }
        }
    }
}

impl<const N: usize> Write for Record<N> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        if self.cut {
            return Ok(());
        }
        // One byte stays free for the newline.
        let available = N - 1 - self.len;
        let mut take = s.len();
        if take > available {
            self.cut = true;
            take = (0..=available)
                .rev()
                .find(|&at| s.is_char_boundary(at))
                .unwrap_or(0);
        }
        let end = self.len + take;
        if let (Some(to), Some(from)) = (self.text.get_mut(self.len..end), s.as_bytes().get(..take))
        {
            to.copy_from_slice(from);
            self.len = end;
        }
        Ok(())
    }
}

/// Passes a piece of text to `printk`.
pub(crate) fn print_text(level: Level, text: &[u8]) {
    // SAFETY: `printk()` takes text that is valid for its length during the call, which a slice is.
    // A `Level` is one of the nine that `koru_print` has formats for, and it checks that.
    unsafe { bindings::koru_print(level as i32, text.as_ptr(), text.len()) }
}

/// Creates one record.
///
/// `prefix` is the `__LOG_PREFIX` of a module, with its NUL.
#[doc(hidden)]
#[inline(never)]
pub fn print(level: Level, prefix: &[u8], args: fmt::Arguments<'_>) {
    let mut record = Record::<MAX_MESSAGE>::new();
    let name = prefix.strip_suffix(b"\0").unwrap_or(prefix);
    if level != Level::Cont {
        // `module!` ensures that the name of a module is ASCII.
        let name = core::str::from_utf8(name).unwrap_or("?");
        let _ = record.write_str(name);
        let _ = record.write_str(": ");
    }
    // An argument that fails to format leaves what it wrote so far.
    let _ = record.write_fmt(args);
    record.close();
    print_text(level, record.text());
}

/// A wrapper that displays its content with control characters escaped.
///
/// The print macros wrap every argument in it.
#[doc(hidden)]
pub struct Escape<T>(pub T);

/// A writer that escapes control characters; `{:#?}` keeps its newlines.
struct EscapeWriter<'a, 'b> {
    to: &'a mut Formatter<'b>,
    keep_newlines: bool,
}

impl Write for EscapeWriter<'_, '_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let forges = |c: char| c.is_control() && !(self.keep_newlines && c == '\n');
        let mut remaining = s;
        while let Some(at) = remaining.find(forges) {
            let (plain, tail) = remaining.split_at(at);
            self.to.write_str(plain)?;
            let mut chars = tail.chars();
            if let Some(c) = chars.next() {
                write!(self.to, "{}", c.escape_default())?;
            }
            remaining = chars.as_str();
        }
        self.to.write_str(remaining)
    }
}

macro_rules! escape {
    ($($trait:ident, $keeps:expr;)*) => {$(
        impl<T: fmt::$trait> fmt::$trait for Escape<T> {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                let options = f.options();
                let mut writer = EscapeWriter {
                    keep_newlines: $keeps && f.alternate(),
                    to: f,
                };
                self.0.fmt(&mut Formatter::new(&mut writer, options))
            }
        }
    )*};
}

escape!(Display, false; Debug, true;);

impl<T: fmt::Pointer> fmt::Pointer for Escape<&T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        crate::fmt::Adapter(self.0).fmt(f)
    }
}

// The output of these consists of digits.
macro_rules! pass {
    ($($trait:ident),*) => {$(
        impl<T: fmt::$trait> fmt::$trait for Escape<T> {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}
pass!(Binary, LowerExp, LowerHex, Octal, UpperExp, UpperHex);
