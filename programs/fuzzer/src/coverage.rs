// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kernel's coverage of this thread's system calls, KCOV.

use std::{collections::BTreeSet, fs::File, os::fd::AsFd};

use ioshell::{
    calls::{Call, Memory, Word},
    raw::{SharedWords, ioctl_value},
};
use nix::errno::Errno;

use crate::generate::put;

const KCOV: &str = "/sys/kernel/debug/kcov";

/// The numbers of KCOV's ioctls.
const INIT_TRACE: u32 = 0x8008_6301;
const ENABLE: u32 = 0x6364;
const DISABLE: u32 = 0x6365;

/// What is traced: where the code was, or what it compared.
const PLACES: i64 = 0;
const COMPARISONS: i64 = 1;

/// How many words the kernel writes, at most.
const WORDS: usize = 1 << 16;

/// How many sequences one with comparisons leads to, at most.
const MOST_HINTS: usize = 200;

/// A comparison: its two values and their size in bytes.
pub type Comparison = (u64, u64, usize);

pub struct Coverage {
    file: File,
    words: SharedWords,
}

impl Coverage {
    /// Returns the coverage, unless the kernel has none.
    pub fn new() -> Option<Coverage> {
        let file = File::options().read(true).write(true).open(KCOV).ok()?;
        ioctl_value(file.as_fd(), INIT_TRACE, WORDS as i64).ok()?;
        let words = SharedWords::new(&file, WORDS).ok()?;
        Some(Coverage { file, words })
    }

    fn trace(&self, what: i64, run: impl FnOnce()) -> Result<usize, Errno> {
        ioctl_value(self.file.as_fd(), ENABLE, what)?;
        self.words.set(0, 0);
        run();
        let number = self.words.get(0) as usize;
        ioctl_value(self.file.as_fd(), DISABLE, 0)?;
        Ok(number)
    }

    /// Does something, and returns where the module's code was, in this order.
    pub fn places(&self, run: impl FnOnce()) -> Vec<u64> {
        let number = self.trace(PLACES, run).unwrap_or(0).min(WORDS - 1);
        (1..=number).map(|at| self.words.get(at)).collect()
    }

    /// Does something, and returns what the module compared.
    pub fn comparisons(&self, run: impl FnOnce()) -> BTreeSet<Comparison> {
        let number = self.trace(COMPARISONS, run).unwrap_or(0);
        let number = number.min((WORDS - 1) / 4);
        let all = (0..number).map(|n| {
            let word = |index| self.words.get(1 + n * 4 + index);
            (word(1), word(2), 1 << ((word(0) >> 1) & 3))
        });
        all.filter(|(a, b, _)| a != b).collect()
    }
}

/// Returns sequences in which a value that was compared is the other one.
pub fn hints(calls: &[Call], comparisons: &BTreeSet<Comparison>) -> Vec<Vec<Call>> {
    let mut hints = Vec::new();
    for &(a, b, size) in comparisons {
        for (from, to) in [(a, b), (b, a)] {
            for (index, call) in calls.iter().enumerate() {
                for (at, word) in call.words.iter().enumerate() {
                    for word in replaced(word, from, to, size) {
                        let mut calls = calls.to_vec();
                        calls[index].words[at] = word;
                        hints.push(calls);
                    }
                }
            }
        }
    }
    // Not always the same ones, where there are many.
    let step = hints.len().div_ceil(MOST_HINTS).max(1);
    hints.into_iter().step_by(step).collect()
}

fn replaced(word: &Word, from: u64, to: u64, size: usize) -> Vec<Word> {
    let mask = u64::MAX >> (64 - 8 * size);
    match word {
        Word::Number(number) if *number as u64 & mask == from & mask => {
            let number = (*number as u64 & !mask) | (to & mask);
            vec![Word::Number(number as i64)]
        }
        Word::Memory(Memory::Bytes(bytes)) => {
            let value = &from.to_le_bytes()[..size];
            let found = bytes.windows(size).enumerate();
            let found = found.filter(|(_, window)| *window == value).take(4);
            found
                .map(|(at, _)| {
                    let mut bytes = bytes.clone();
                    put(&mut bytes, at, to, size);
                    Word::Memory(Memory::Bytes(bytes))
                })
                .collect()
        }
        // Room is zeros.
        Word::Memory(Memory::Room(room)) if from & mask == 0 && *room >= size && *room <= 256 => {
            let mut bytes = vec![0; *room];
            put(&mut bytes, 0, to, size);
            vec![Word::Memory(Memory::Bytes(bytes))]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compared_values_are_replaced() {
        let calls = |text: &str| -> Vec<Call> {
            text.split(';')
                .map(|line| Call::parse(line).unwrap())
                .collect()
        };
        let seen = calls("ioctl f0 7 =0011223344;read f0 room:4 4");
        let of = |comparison| {
            let hints = hints(&seen, &BTreeSet::from([comparison]));
            let text = |calls: &Vec<Call>| {
                let lines: Vec<String> = calls.iter().map(Call::to_string).collect();
                lines.join(";")
            };
            hints.iter().map(text).collect::<Vec<_>>()
        };
        assert_eq!(
            of((0x5000, 7, 4)),
            ["ioctl f0 0x5000 =0011223344;read f0 room:4 4"]
        );
        assert_eq!(
            of((0x4433_2211, 0x0403_0201, 4)),
            ["ioctl f0 7 =0001020304;read f0 room:4 4"]
        );
        assert_eq!(of((9, 10, 8)), [""; 0]);
    }
}
