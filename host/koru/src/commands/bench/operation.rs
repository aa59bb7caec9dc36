// SPDX-License-Identifier: MIT OR Apache-2.0

//! The language of `--op`: which system calls are made, and which of them are counted.
//!
//! A short form is one call, with the path of its file: `read /proc/hello 64`. The long form is
//! a list of steps: those before `repeat` are done once, the others in each sample, and those in
//! brackets are counted.

use koru_error::{Error, Kind, Result};
use koru_protocol::{Operation, Step};

/// The most that one step reads or writes, in bytes.
const MOST_BYTES: u32 = 1 << 20;

/// The most processes that hold a file.
const MOST_PROCESSES: u32 = 2000;

/// An operation as the user wrote it, and as the guest does it.
#[derive(Clone, Debug)]
pub struct NamedOperation {
    pub name: String,
    pub operation: Operation,
}

impl NamedOperation {
    /// Reads an operation.
    pub fn parse(text: &str, samples: u32) -> Result<NamedOperation> {
        let attempted = format!("reading the operation `{text}`");
        let operation = operation(text.trim(), samples).map_err(|message| {
            Error::new(Kind::Usage, attempted, message)
                .help("`koru bench --help` describes operations, as in `read /proc/hello 64`")
        })?;
        Ok(NamedOperation {
            name: text.trim().to_owned(),
            operation,
        })
    }
}

type Parsed<T> = std::result::Result<T, String>;

fn operation(text: &str, samples: u32) -> Parsed<Operation> {
    match text.contains(['[', ';']) {
        true => long(text, samples),
        false => short(text, samples),
    }
}

fn short(text: &str, samples: u32) -> Parsed<Operation> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (verb, rest) = words.split_first().ok_or("there is nothing in it")?;
    if *verb == "getpid" {
        return long("[getpid]", samples);
    }
    let (path, rest) = rest
        .split_first()
        .ok_or_else(|| format!("`{verb}` needs the path of a file"))?;
    let rest = rest.join(" ");
    long(
        &match *verb {
            "open" => format!("[open {path}]; close"),
            "close" => format!("open {path}; [close]"),
            "open+close" => format!("[open {path}; close]"),
            "open+read+close" => format!("[open {path}; read {rest}; close]"),
            "open+write+close" => format!("[open {path}; write {rest}; close]"),
            "read" => format!("open {path}; repeat seek 0; [read {rest}]"),
            "write" => format!("open {path}; repeat seek 0; [write {rest}]"),
            "pread" | "pwrite" => format!("open {path}; repeat [{verb} {rest}]"),
            other => return Err(format!("there is no operation `{other}`")),
        },
        samples,
    )
}

fn long(text: &str, samples: u32) -> Parsed<Operation> {
    let mut operation = Operation {
        once: Vec::new(),
        before: Vec::new(),
        counted: Vec::new(),
        after: Vec::new(),
        samples,
    };
    let mut rest = text;
    if let Some((once, repeated)) = text.split_once("repeat ") {
        operation.once = steps(once)?;
        rest = repeated;
    }
    let brackets = rest
        .split_once('[')
        .and_then(|(before, rest)| Some((before, rest.split_once(']')?)));
    let (before, (counted, after)) =
        brackets.ok_or("no step is in brackets, so none would be counted")?;
    operation.before = steps(before)?;
    operation.counted = steps(counted)?;
    operation.after = steps(after)?;
    if operation.counted.is_empty() {
        return Err("there is no step in the brackets".into());
    }
    Ok(operation)
}

fn steps(text: &str) -> Parsed<Vec<Step>> {
    let parts = text.split(';').map(str::trim);
    parts.filter(|part| !part.is_empty()).map(step).collect()
}

fn step(text: &str) -> Parsed<Step> {
    if text.contains(['[', ']']) {
        return Err("only one part is in brackets".into());
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    Ok(match words.as_slice() {
        ["open", path] => Step::Open((*path).to_owned()),
        ["close"] => Step::Close,
        ["getpid"] => Step::Getpid,
        ["read", length] => Step::Read(number(length, MOST_BYTES)?),
        ["pread", place] => {
            let (length, at) = placed(place)?;
            Step::Pread(number(length, MOST_BYTES)?, at)
        }
        ["write", what @ ..] => Step::Write(bytes(what)?),
        ["pwrite", place] => {
            let (what, at) = placed(place)?;
            Step::Pwrite(bytes(&[what])?, at)
        }
        ["seek", to] => Step::Seek(number(to, u64::MAX)?),
        ["hold", path, processes, write @ ..] => Step::Hold {
            path: (*path).to_owned(),
            processes: number(processes, MOST_PROCESSES)?,
            write: match write {
                [] => Vec::new(),
                write => bytes(write)?,
            },
        },
        [verb, ..] => return Err(format!("`{text}` is no step with `{verb}`")),
        [] => return Err("there is nothing in it".into()),
    })
}

/// Splits `64@128` into its parts.
fn placed(text: &str) -> Parsed<(&str, u64)> {
    match text.split_once('@') {
        Some((what, at)) => Ok((what, number(at, u64::MAX)?)),
        None => Ok((text, 0)),
    }
}

/// Returns the bytes to write: that many letters, or what `hex:` says.
fn bytes(words: &[&str]) -> Parsed<Vec<u8>> {
    let [word] = words else {
        return Err("what is written is a number of bytes, or `hex:` and digits".into());
    };
    let Some(digits) = word.strip_prefix("hex:") else {
        let length = number(word, MOST_BYTES)?;
        return Ok((b'a'..=b'z').cycle().take(length as usize).collect());
    };
    let byte = |at: usize| {
        let pair = digits.get(at..at + 2)?;
        u8::from_str_radix(pair, 16).ok()
    };
    let all: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
    all.ok_or_else(|| format!("`{digits}` is not an even number of hexadecimal digits"))
}

fn number<N: std::str::FromStr + PartialOrd + std::fmt::Display>(text: &str, most: N) -> Parsed<N> {
    let number = text.parse().ok().filter(|n| *n <= most);
    number.ok_or_else(|| format!("`{text}` is not a number up to {most}"))
}

/// Returns a step as the user writes it.
pub fn shown(step: &Step) -> String {
    match step {
        Step::Open(path) => format!("open {path}"),
        Step::Close => "close".into(),
        Step::Read(length) => format!("read {length}"),
        Step::Pread(length, at) => format!("pread {length}@{at}"),
        Step::Write(bytes) => format!("write {}", bytes.len()),
        Step::Pwrite(bytes, at) => format!("pwrite {}@{at}", bytes.len()),
        Step::Seek(to) => format!("seek {to}"),
        Step::Hold {
            path, processes, ..
        } => format!("hold {path} {processes}"),
        Step::Getpid => "getpid".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Operation {
        NamedOperation::parse(text, 7).unwrap().operation
    }

    #[test]
    fn short_forms_are_one_call() {
        let read = parsed("read /proc/x 64");
        assert_eq!(read.once, [Step::Open("/proc/x".into())]);
        assert_eq!(read.before, [Step::Seek(0)]);
        assert_eq!(read.counted, [Step::Read(64)]);
        assert_eq!(read.after, []);
        assert_eq!(read.samples, 7);
        let open = parsed("open /dev/x");
        assert_eq!(open.counted, [Step::Open("/dev/x".into())]);
        assert_eq!(open.after, [Step::Close]);
        assert_eq!(parsed("pread /x 8@16").counted, [Step::Pread(8, 16)]);
        assert_eq!(parsed("write /x 3").counted, [Step::Write(b"abc".to_vec())]);
        assert_eq!(parsed("getpid").counted, [Step::Getpid]);
    }

    #[test]
    fn long_form_has_parts() {
        let text = "hold /x 5 hex:64; open /x; repeat write hex:0700; [read 4; read 2]; close";
        let long = parsed(text);
        let hold = Step::Hold {
            path: "/x".into(),
            processes: 5,
            write: vec![0x64],
        };
        assert_eq!(long.once, [hold, Step::Open("/x".into())]);
        assert_eq!(long.before, [Step::Write(vec![7, 0])]);
        assert_eq!(long.counted, [Step::Read(4), Step::Read(2)]);
        assert_eq!(long.after, [Step::Close]);
    }

    #[test]
    fn mistakes_are_explained() {
        for (text, why) in [
            ("", "there is nothing in it"),
            ("read", "`read` needs the path of a file"),
            ("read /x", "`read` is no step with `read`"),
            ("peek /x 1", "there is no operation `peek`"),
            ("open /x; read 1", "no step is in brackets"),
            ("open /x; []", "no step in the brackets"),
            ("[read 1]; [read 2]", "only one part is in brackets"),
            (
                "read /x 99999999",
                "`99999999` is not a number up to 1048576",
            ),
            ("write /x hex:1", "not an even number of hexadecimal digits"),
            (
                "write /x hex:g0",
                "not an even number of hexadecimal digits",
            ),
        ] {
            let error = NamedOperation::parse(text, 1).unwrap_err();
            assert!(error.message.contains(why), "{text}: {}", error.message);
        }
    }
}
