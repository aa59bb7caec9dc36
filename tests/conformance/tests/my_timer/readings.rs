// SPDX-License-Identifier: MIT OR Apache-2.0

//! Readings of the file: their form, and how they follow each other.

use std::{fs::File, io::Read, os::unix::fs::FileExt, thread};

use koru_tests::{expect_eq, expect_ok, fail_requirement};

use crate::{CONTRACT, path};

pub const SECOND: i128 = 1_000_000_000;

/// One reading: the printed times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    pub current: i128,
    pub elapsed: Option<i128>,
}

impl Reading {
    /// The time of the reading before.
    pub fn before(&self) -> Option<i128> {
        self.elapsed.map(|e| self.current - e)
    }

    /// Promises that it tells the distance to this one.
    #[track_caller]
    pub fn follows(&self, done: &str, last: &Reading) {
        self.elapsed_is(done, Some(self.current - last.current));
    }

    #[track_caller]
    pub fn is_first(&self, done: &str) {
        self.elapsed_is(done, None);
    }

    #[track_caller]
    pub fn elapsed_is(&self, done: &str, promised: Option<i128>) {
        if self.elapsed != promised {
            let words = |elapsed: Option<i128>| match elapsed {
                Some(nanos) => format!("{}{}", CONTRACT.text("elapsed"), seconds(nanos)),
                None => "no elapsed time".to_owned(),
            };
            fail_requirement(done, &words(promised), &words(self.elapsed));
        }
    }
}

/// `S.NNNNNNNNN`
pub fn seconds(nanos: i128) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.abs();
    format!("{sign}{}.{:09}", nanos / SECOND, nanos % SECOND)
}

/// Takes a text apart; it must be exactly what the contract says.
#[track_caller]
pub fn parse(text: impl AsRef<[u8]>) -> Reading {
    let text = String::from_utf8_lossy(text.as_ref());
    read_text(&text).unwrap_or_else(|| {
        let line = |key| format!("{}S.NNNNNNNNN", CONTRACT.text(key));
        fail_requirement(
            &format!("reading {}", path()),
            &format!(
                "the line `{}`, then perhaps `{}`",
                line("current"),
                line("elapsed")
            ),
            &format!("{text:?}"),
        )
    })
}

pub fn read_text(text: &str) -> Option<Reading> {
    let mut lines = text.split_inclusive('\n');
    let number = |line: &str, key| {
        let number = line.strip_prefix(CONTRACT.text(key))?.strip_suffix('\n')?;
        nanos(number)
    };
    let reading = Reading {
        current: number(lines.next()?, "current")?,
        elapsed: match lines.next() {
            None => None,
            Some(line) => Some(number(line, "elapsed")?),
        },
    };
    (reading.current >= 0 && lines.next().is_none()).then_some(reading)
}

/// `S.NNNNNNNNN` or `-S.NNNNNNNNN`, nothing else.
pub fn nanos(number: &str) -> Option<i128> {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, number),
    };
    let (whole, part) = digits.split_once('.')?;
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let plain = whole == "0" || !whole.starts_with('0');
    if !all_digits(whole) || !all_digits(part) || part.len() != 9 || !plain {
        return None;
    }
    let value = whole.parse::<i128>().ok()? * SECOND + part.parse::<i128>().ok()?;
    // No negative zero.
    (sign == 1 || value != 0).then_some(sign * value)
}

/// The readings, in whatever order they are given, were made one after the other:
/// each elapsed time is the distance to the one before. Without `first`, one of
/// them was the first of all.
#[track_caller]
pub fn assert_chain(mut readings: Vec<Reading>, first: Option<Reading>) {
    // Two in the same nanosecond: the one that came from elsewhere was earlier.
    readings.sort_by_key(|r| (r.current, r.before()));
    let mut last = first;
    let count = readings.len();
    for (i, reading) in readings.into_iter().enumerate() {
        let done = format!("reading {i} of {count}, in the order of their times");
        match &last {
            Some(last) => reading.follows(&done, last),
            None => reading.is_first(&done),
        }
        last = Some(reading);
    }
}

/// What the threads read; one that saw a broken promise has said so.
pub fn collect(threads: Vec<thread::ScopedJoinHandle<'_, Vec<Reading>>>) -> Vec<Reading> {
    let of = |t: thread::ScopedJoinHandle<'_, Vec<Reading>>| match t.join() {
        Ok(readings) => readings,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    threads.into_iter().flat_map(of).collect()
}

/// What `cat` prints.
#[track_caller]
pub fn cat() -> Reading {
    parse(koru_tests::cat(path()))
}

/// One read from the start, as large as `cat`'s.
#[track_caller]
pub fn read(file: &File) -> Reading {
    let mut buffer = [0; 4096];
    let n = expect_ok("pread of 4096 bytes at 0", file.read_at(&mut buffer, 0));
    parse(&buffer[..n])
}

#[track_caller]
pub fn at_the_end(done: &str, file: &mut File) {
    let seen = expect_ok("reading at the end", file.read(&mut [0; 8]));
    expect_eq(&format!("{done}: bytes read at the end"), seen, 0);
}
