// SPDX-License-Identifier: MIT OR Apache-2.0

//! Parses a line into a command.

use std::{io::SeekFrom, path::PathBuf};

use ioshell::bytes;

/// The output of `help`.
pub const HELP: &str = "\
open FILE [r|w|rw|new]         opens a file, as rw by default; new creates or empties it
read N                         one read of N bytes
write TEXT                     one write; \\n, \\t, \\\\, \\xHH as in Rust
write-hex HH ..                one write of these bytes
seek OFFSET [set|cur|end]      moves the position, from the start by default
tell                           shows the position
dump [N]                       reads the next N bytes (default: 256) and shows them
close                          closes the file
help                           shows this text
quit                           quits, as the end of the input does
Numbers may be hexadecimal: 0x1f. A line that begins with # is a comment.
";

/// The mode in which a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Read,
    Write,
    Both,
    /// The file is created, or emptied if it exists.
    New,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Open(PathBuf, Mode),
    Read(usize),
    Write(Vec<u8>),
    Seek(SeekFrom),
    Tell,
    Dump(usize),
    Close,
    Help,
    Quit,
    Nothing,
}

/// The largest number of bytes for one command; more is probably a typing error.
const MOST: u64 = 64 << 20;

impl Command {
    /// Parses a line without its end. The error says what is wrong.
    pub fn parse(line: &str) -> Result<Command, String> {
        let line = line.trim_start();
        let (word, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let words: Vec<&str> = rest.split_whitespace().collect();
        let wants = |form: &str| Err(format!("{word}: usage: {form}"));
        Ok(match (word, words.as_slice()) {
            ("", _) => Command::Nothing,
            _ if word.starts_with('#') => Command::Nothing,
            ("open", [path]) => Command::Open(path.into(), Mode::Both),
            ("open", [path, mode]) => {
                let mode = match *mode {
                    "r" => Mode::Read,
                    "w" => Mode::Write,
                    "rw" => Mode::Both,
                    "new" => Mode::New,
                    _ => return wants("open FILE [r|w|rw|new]"),
                };
                Command::Open(path.into(), mode)
            }
            ("open", _) => return wants("open FILE [r|w|rw|new]"),
            ("read", [n]) => Command::Read(count(word, n)?),
            ("read", _) => return wants("read N"),
            // The text is all that follows the first blank, including other blanks.
            ("write", _) => {
                Command::Write(bytes::unescape(rest).map_err(|e| format!("{word}: {e}"))?)
            }
            ("write-hex", _) => {
                Command::Write(bytes::from_hex(rest).map_err(|e| format!("{word}: {e}"))?)
            }
            ("seek", [offset]) => Command::Seek(seek(word, offset, "set")?),
            ("seek", [offset, from]) => Command::Seek(seek(word, offset, from)?),
            ("seek", _) => return wants("seek OFFSET [set|cur|end]"),
            ("tell", []) => Command::Tell,
            ("dump", []) => Command::Dump(256),
            ("dump", [n]) => Command::Dump(count(word, n)?),
            ("dump", _) => return wants("dump [N]"),
            ("close", []) => Command::Close,
            ("help" | "?", _) => Command::Help,
            ("quit" | "exit", []) => Command::Quit,
            ("tell" | "close" | "quit" | "exit", _) => {
                return Err(format!("{word}: takes no arguments"));
            }
            _ => {
                return Err(format!(
                    "`{word}` is not a command; `help` lists the commands"
                ));
            }
        })
    }
}

fn seek(word: &str, offset: &str, from: &str) -> Result<SeekFrom, String> {
    let number = number(offset).ok_or_else(|| format!("{word}: `{offset}` is not a number"))?;
    match from {
        // The kernel refuses a number that is too large for a position.
        "set" => Ok(SeekFrom::Start(number as u64)),
        "cur" => Ok(SeekFrom::Current(number)),
        "end" => Ok(SeekFrom::End(number)),
        _ => Err(format!("{word}: `{from}` is not set, cur or end")),
    }
}

fn count(word: &str, n: &str) -> Result<usize, String> {
    match number(n).and_then(|n| u64::try_from(n).ok()) {
        Some(n) if n <= MOST => Ok(n as usize),
        Some(_) => Err(format!("{word}: at most {MOST} bytes")),
        None => Err(format!("{word}: `{n}` is not a number of bytes")),
    }
}

fn number(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    match digits.strip_prefix("0x") {
        Some(hex) if !hex.starts_with(['+', '-']) => {
            i64::from_str_radix(&format!("{sign}{hex}"), 16).ok()
        }
        Some(_) => None,
        None => format!("{sign}{digits}").parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(line: &str, command: Command) {
        assert_eq!(Command::parse(line), Ok(command), "{line}");
    }

    #[test]
    fn every_command() {
        is(
            "open /dev/circbuf",
            Command::Open("/dev/circbuf".into(), Mode::Both),
        );
        is("open x r", Command::Open("x".into(), Mode::Read));
        is("open x w", Command::Open("x".into(), Mode::Write));
        is("open x new", Command::Open("x".into(), Mode::New));
        is("read 16", Command::Read(16));
        is("read 0x10", Command::Read(16));
        is("write two  words ", Command::Write(b"two  words ".to_vec()));
        is("write", Command::Write(vec![]));
        is("write-hex 00 ff0a", Command::Write(vec![0, 255, 10]));
        is("seek 5", Command::Seek(SeekFrom::Start(5)));
        is("seek -5 cur", Command::Seek(SeekFrom::Current(-5)));
        is("seek -0x5 end", Command::Seek(SeekFrom::End(-5)));
        is("tell", Command::Tell);
        is("dump", Command::Dump(256));
        is("  dump 3 ", Command::Dump(3));
        is("close", Command::Close);
        is("help", Command::Help);
        is("quit", Command::Quit);
        is("", Command::Nothing);
        is("   ", Command::Nothing);
        is("# read 3", Command::Nothing);
    }

    #[test]
    fn what_is_none() {
        for line in [
            "open",
            "open a b",
            "open a r w",
            "read",
            "read x",
            "read -1",
            "read 1 2",
            "read 99999999999",
            "write \\",
            "write \\q",
            "write \\xg0",
            "write-hex 0",
            "write-hex zz",
            "seek",
            "seek x",
            "seek 1 2",
            "seek 0x+1",
            "seek --1",
            "tell 1",
            "close it",
            "fly",
        ] {
            assert!(Command::parse(line).is_err(), "{line}");
        }
    }
}
