// SPDX-License-Identifier: MIT OR Apache-2.0

//! Sequences of system calls, as text.
//!
//! A call is a line: its name and its words (see [`FORMS`]). A number in front, `1 read ..`, makes
//! another thread begin the call, and the next line does not wait for it. `end` closes all files.

mod memory;
mod player;

use std::fmt;

use crate::bytes::{escape, unescape};

pub use memory::Memory;
pub use player::Player;

/// What a word of a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of the open files: `f0` to `f7`.
    File,
    Path,
    Number,
    Memory,
    /// A number or memory.
    Argument,
}

use Kind::{Argument, File, Memory as Pointer, Number, Path};

/// The calls and their words.
pub const FORMS: [(&str, &[Kind]); 20] = [
    ("open", &[File, Path, Number]),
    ("read", &[File, Pointer, Number]),
    ("pread", &[File, Pointer, Number, Number]),
    ("readv", &[File, Pointer, Number, Pointer, Number]),
    ("write", &[File, Pointer, Number]),
    ("pwrite", &[File, Pointer, Number, Number]),
    ("writev", &[File, Pointer, Number, Pointer, Number]),
    // The offset, and from where: 0 the start, 1 the position, 2 the end.
    ("seek", &[File, Number, Number]),
    ("poll", &[File, Number]),
    ("ioctl", &[File, Number, Argument]),
    // The length, the offset and the protection. Each page is read, by the kernel.
    ("mmap", &[File, Number, Number, Number]),
    ("munmap", &[]),
    ("dup", &[File, File]),
    // Sends an open file through a socket.
    ("pass", &[File, File]),
    // Moves bytes from a file into a pipe, and the other way.
    ("splice-from", &[File, Number]),
    ("splice-to", &[File, Number]),
    ("sync", &[File]),
    ("close", &[File]),
    // The calls that follow are made by a child as well.
    ("fork", &[]),
    ("end", &[]),
];

/// The number of open files.
pub const FILES: u8 = 8;

/// The number of threads.
pub const THREADS: u8 = 3;

/// A word of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    File(u8),
    Path(String),
    Number(i64),
    Memory(Memory),
}

/// A system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The thread that makes it; 0 is the one that reads the lines.
    pub thread: u8,
    /// The place of its form in [`FORMS`].
    pub form: usize,
    pub words: Vec<Word>,
}

impl Call {
    pub fn name(&self) -> &'static str {
        FORMS[self.form].0
    }

    /// Reads a line. The error says what is wrong.
    pub fn parse(line: &str) -> Result<Call, String> {
        let mut words = line.split_whitespace().peekable();
        let thread = words.peek().and_then(|w| w.parse::<u8>().ok());
        if thread.is_some() {
            words.next();
        }
        let thread = thread.unwrap_or(0);
        if thread >= THREADS {
            return Err(format!("there are the threads 0 to {}", THREADS - 1));
        }
        let name = words.next().unwrap_or_default();
        let form = FORMS.iter().position(|(known, _)| *known == name);
        let form = form.ok_or_else(|| format!("`{name}` is not a call"))?;
        let words: Result<Vec<Word>, String> = words.map(Word::parse).collect();
        let words = words?;
        let fits = |(kind, word): (&Kind, &Word)| word.fits(*kind);
        match FORMS[form].1.len() == words.len() && FORMS[form].1.iter().zip(&words).all(fits) {
            true => Ok(Call {
                thread,
                form,
                words,
            }),
            false => Err(format!("{name} has other words: {:?}", FORMS[form].1)),
        }
    }
}

impl Word {
    fn parse(text: &str) -> Result<Word, String> {
        if let Some(memory) = Memory::parse(text)? {
            return Ok(Word::Memory(memory));
        }
        let wrong = || format!("`{text}` is no file, path, number or memory");
        if text.starts_with('/') {
            let path = String::from_utf8(unescape(text)?);
            return path.map(Word::Path).map_err(|_| wrong());
        }
        if let Some(file) = text.strip_prefix('f') {
            let file = file.parse().ok().filter(|file| *file < FILES);
            return file.map(Word::File).ok_or_else(wrong);
        }
        let number = match text.strip_prefix("0x") {
            // All 64 bits, as of an address.
            Some(hex) => u64::from_str_radix(hex, 16).ok().map(|n| n as i64),
            None => text.parse().ok(),
        };
        number.map(Word::Number).ok_or_else(wrong)
    }

    fn fits(&self, kind: Kind) -> bool {
        match self {
            Word::File(_) => kind == File,
            Word::Path(_) => kind == Path,
            Word::Number(_) => matches!(kind, Number | Argument),
            Word::Memory(_) => matches!(kind, Pointer | Argument),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.thread > 0 {
            write!(f, "{} ", self.thread)?;
        }
        f.write_str(self.name())?;
        self.words.iter().try_for_each(|word| write!(f, " {word}"))
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Word::File(file) => write!(f, "f{file}"),
            Word::Path(path) => f.write_str(&escape(path.as_bytes()).replace(' ', "\\x20")),
            // Flags and the like are known in their hexadecimal form.
            Word::Number(number @ 0x400..) => write!(f, "{number:#x}"),
            Word::Number(number) => write!(f, "{number}"),
            Word::Memory(memory) => write!(f, "{memory}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_there_and_back() {
        for line in [
            "open f0 /proc/my\\x20file 0x802",
            "1 read f0 room:64 64",
            "pread f1 readonly 64 -1",
            "readv f0 room:8 8 unmapped 9",
            "write f0 =6869 2",
            "ioctl f7 0x5401 0xfffffff0",
            "ioctl f7 0x5401 half",
            "2 munmap",
            "splice-to f0 5",
            "end",
        ] {
            let call = Call::parse(line).unwrap();
            assert_eq!(call.to_string(), line);
        }
        let kernel = Call::parse("ioctl f0 1 0xffff888000000000").unwrap();
        assert_eq!(Call::parse(&kernel.to_string()), Ok(kernel));
    }

    #[test]
    fn what_is_no_call() {
        for line in [
            "",
            "fly",
            "3 munmap",
            "open f8 /x 0",
            "open f0 x 0",
            "read f0 64 64",
            "read f0 room:64",
            "write f0 =6 1",
            "write f0 room:99999999 1",
            "close 0",
        ] {
            assert!(Call::parse(line).is_err(), "{line}");
        }
    }
}
