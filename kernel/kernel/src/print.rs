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

mod constant;
mod macros;
mod pieces;
mod words;

#[doc(hidden)]
pub use constant::{is_constant, Constant};
#[doc(hidden)]
pub(crate) use pieces::write_pieces;
#[doc(hidden)]
pub use pieces::{print_integers, print_pieces, Form, Piece, Value};

use crate::bindings;
use crate::ffi::c_int;
use crate::fmt::{AnyArgument, Argument, ByKernel};
use core::ffi::CStr;
use core::fmt::{self, Formatter, Write};
use core::mem::MaybeUninit;

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

/// Returns how many bytes at the start of a text are printable ASCII and no backslash.
///
/// Every reader of the log gets these as they are. This is many times faster than to look at one
/// byte after the other.
///
/// # Examples
///
/// ```
/// assert!(kernel::print::plain_len(b"naive\n") == 5);
/// ```
#[inline]
pub fn plain_len(text: &[u8]) -> usize {
    words::count_until(text, |word| {
        words::below(word, b' ') | words::above(word, b'~') | words::equal(word, b'\\')
    })
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
    Cont = 8,
}

impl Level {
    /// Returns what begins a format of `printk` at this level.
    const fn header(self) -> [u8; LEVEL_LEN] {
        // The ASCII character SOH begins a level.
        match self {
            Level::Cont => [1, b'c'],
            level => [1, b'0' + level as u8],
        }
    }
}

/// The length of what begins a format of `printk`: the level.
const LEVEL_LEN: usize = 2;

/// The size of a record with its level and a NUL.
const RECORD_SIZE: usize = LEVEL_LEN + MAX_MESSAGE + 1;

/// A buffer for one record.
///
/// # Invariants
///
/// The first `len` bytes of `text` are initialised, and `len` is less than `N - 1`; less than `N`
/// once the record is closed.
pub(crate) struct Record<const N: usize> {
    text: [MaybeUninit<u8>; N],
    len: usize,
    cut: bool,
}

impl<const N: usize> Record<N> {
    #[inline]
    pub(crate) const fn new() -> Self {
        // INVARIANT: there are no initialised bytes.
        Self {
            text: [const { MaybeUninit::uninit() }; N],
            len: 0,
            cut: false,
        }
    }

    #[inline]
    pub(crate) fn text(&self) -> &[u8] {
        // SAFETY: by the type's invariant the first `len` bytes are initialised and within `text`,
        // which is borrowed as long as the result.
        unsafe { core::slice::from_raw_parts(self.text.as_ptr().cast(), self.len) }
    }

    /// Appends as much of a text as leaves two bytes free, for the newline and a NUL, up to the end
    /// of a character.
    #[inline(never)]
    fn append(&mut self, text: &[u8]) {
        if self.cut {
            return;
        }
        let available = N - 2 - self.len;
        let mut take = text.len();
        if take > available {
            self.cut = true;
            take = available;
            // Bytes of the form 10xxxxxx continue a character.
            while take > 0 && text.get(take).is_some_and(|byte| byte & 0xc0 == 0x80) {
                take -= 1;
            }
        }
        // SAFETY: `take` is at most the length of `text`, and at most `available`: that many bytes
        // of the buffer follow the first `len`. The two do not overlap, as only `self` has access
        // to its buffer.
        unsafe {
            let end = self.text.as_mut_ptr().cast::<u8>().add(self.len);
            end.copy_from_nonoverlapping(text.as_ptr(), take);
        }
        // INVARIANT: these bytes were just initialised, and two bytes stay free.
        self.len += take;
    }

    /// Appends the newline of a message that was truncated, which ends the record.
    pub(crate) fn close(&mut self) {
        if self.cut {
            if let Some(last) = self.text.get_mut(self.len) {
                last.write(b'\n');
                // INVARIANT: the byte was just initialised, and one stays free.
                self.len += 1;
            }
        }
    }
}

impl Record<RECORD_SIZE> {
    /// Appends what a record begins with: the header of `level`, and the prefix.
    fn begin(&mut self, level: Level, prefix: &[u8]) {
        self.append(&level.header());
        if level != Level::Cont {
            self.append(prefix.strip_suffix(b"\0").unwrap_or(prefix));
            self.append(b": ");
        }
    }

    /// Passes the record, which begins with the header of `level`, to `printk`.
    fn print(&mut self, level: Level) {
        let text = self.text().get(LEVEL_LEN..).unwrap_or_default();
        // The record is the format, which `printk` copies many times faster than an argument.
        let special = |word| words::equal(word, b'%') | words::equal(word, 0);
        if words::count_until(text, special) < text.len() {
            return print_text(level, text);
        }
        if let Some(end) = self.text.get_mut(self.len) {
            end.write(0);
            // SAFETY: `printk()` takes a C string as its format, which the record is: its bytes
            // are initialised up to the NUL at its end. As there is no `%`, `printk()` reads no
            // arguments.
            unsafe { bindings::koru_print(self.text.as_ptr().cast(), 0, core::ptr::null()) }
        }
    }
}

impl<const N: usize> Write for Record<N> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.append(s.as_bytes());
        Ok(())
    }
}

/// Passes a piece of text to `printk` as an argument, up to a NUL.
pub(crate) fn print_text(level: Level, text: &[u8]) {
    let [start, digit] = level.header();
    let format = [start, digit, b'%', b'.', b'*', b's', 0];
    // SAFETY: `printk()` takes a C string as its format, whose one conversion reads at most as many
    // bytes as the first argument says from the second: the text, which is valid for its length
    // during the call.
    unsafe { bindings::koru_print(format.as_ptr(), text.len() as c_int, text.as_ptr()) }
}

/// Creates one record.
///
/// `prefix` is the `__LOG_PREFIX` of a module, with its NUL.
#[doc(hidden)]
#[inline(never)]
pub fn print(level: Level, prefix: &[u8], args: fmt::Arguments<'_>) {
    let mut record = Record::<RECORD_SIZE>::new();
    record.begin(level, prefix);
    // An argument that fails to format leaves what it wrote so far.
    let _ = record.write_fmt(args);
    record.close();
    record.print(level);
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
        let mut result = Ok(());
        escape(s.as_bytes(), self.keep_newlines, |part| {
            // SAFETY: the parts of UTF-8 that `escape` passes on are UTF-8, which `s` is.
            let part = unsafe { core::str::from_utf8_unchecked(part) };
            result = result.and_then(|()| self.to.write_str(part));
        });
        result
    }
}

/// Writes a text with escapes for control characters, as [`char::escape_default`] writes them.
///
/// The parts that it passes to `sink` are ASCII, or begin and end where characters of the text do.
fn escape(text: &[u8], keep_newlines: bool, mut sink: impl FnMut(&[u8])) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    // Up to here the text has been written, and up to `at` it needs no escapes.
    let (mut done, mut at) = (0, 0);
    loop {
        at += plain_len(text.get(at..).unwrap_or_default());
        let Some(&byte) = text.get(at) else { break };
        // In UTF-8 the control characters are the bytes below a blank, DEL, and 0xc2 with a byte
        // from 0x80 to 0x9f.
        let control = match (byte, text.get(at + 1)) {
            (b'\n', _) if keep_newlines => None,
            (..b' ' | 0x7f, _) => Some((byte, 1)),
            (0xc2, Some(&next)) if next < 0xa0 => Some((next, 2)),
            _ => None,
        };
        let Some((code, length)) = control else {
            at += 1;
            continue;
        };
        sink(text.get(done..at).unwrap_or_default());
        at += length;
        done = at;
        let (high, low) = (
            DIGITS[usize::from(code >> 4)],
            DIGITS[usize::from(code & 15)],
        );
        match code {
            b'\t' => sink(b"\\t"),
            b'\r' => sink(b"\\r"),
            b'\n' => sink(b"\\n"),
            _ if high == b'0' => sink(&[b'\\', b'u', b'{', low, b'}']),
            _ => sink(&[b'\\', b'u', b'{', high, low, b'}']),
        }
    }
    sink(text.get(done..).unwrap_or_default());
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

impl<T: fmt::Pointer> fmt::Pointer for Escape<ByKernel<&T>> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        crate::fmt::Adapter(self.0.value()).fmt(f)
    }
}

impl<'a, T: fmt::Display + ?Sized> Argument<'a, T> {
    #[doc(hidden)]
    #[inline(always)]
    pub const fn __escaped(self) -> Escape<&'a T> {
        Escape(self.by_core())
    }
}

impl<'a, T: ?Sized> AnyArgument<'a, T> {
    #[doc(hidden)]
    #[inline(always)]
    pub const fn __escaped(&self) -> Escape<ByKernel<&'a T>> {
        Escape(self.by_kernel())
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
