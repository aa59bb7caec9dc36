// SPDX-License-Identifier: MIT OR Apache-2.0

//! Makes sequences of calls: new ones, and changed ones.

use ioshell::calls::{Call, FILES, FORMS, Kind, Memory, THREADS, Word};

use crate::random::Random;

/// The length of a new sequence, at most.
const NEW: usize = 10;

/// The length of any sequence, at most.
const LONGEST: usize = 24;

/// The numbers that are likely to be edges.
const NUMBERS: [i64; 22] = [
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    16,
    63,
    64,
    65,
    127,
    255,
    256,
    4095,
    4096,
    4097,
    65536,
    i32::MAX as i64,
    i64::MAX,
    -1,
    i32::MIN as i64,
];

/// Sizes of memory.
const SIZES: [usize; 15] = [0, 1, 2, 4, 4, 8, 8, 16, 24, 32, 64, 128, 256, 4096, 65536];

/// Texts that modules understand.
const TEXTS: [&[u8]; 6] = [b"1\n", b"0", b"-1", b"99999999999", b"on\n", b"a b\n"];

/// Flags of `open`: how, and in which way.
const MODES: [i64; 4] = [2, 2, 0, 1];
const FLAGS: [i64; 6] = [0x800, 0x800, 0x800, 0, 0xc00, 0xa00];

/// Numbers of `ioctl` that many files know.
const IOCTLS: [i64; 5] = [0x5401, 0x541b, 0x5421, 0x1260, 0x5460];

/// The forms that a call has without a reason, each as often as it is worth.
const CHOICES: [&str; 40] = [
    "open",
    "open",
    "read",
    "read",
    "read",
    "read",
    "read",
    "pread",
    "pread",
    "readv",
    "readv",
    "write",
    "write",
    "write",
    "write",
    "write",
    "write",
    "pwrite",
    "pwrite",
    "writev",
    "seek",
    "seek",
    "seek",
    "poll",
    "ioctl",
    "ioctl",
    "ioctl",
    "ioctl",
    "ioctl",
    "ioctl",
    "mmap",
    "mmap",
    "munmap",
    "dup",
    "pass",
    "splice-from",
    "splice-to",
    "sync",
    "close",
    "close",
];

/// How often a sequence has a child: once in so many.
const FORK: usize = 60;

/// Values that the module has compared with, at most.
const MOST_LEARNT: usize = 4096;

pub struct Generator {
    pub random: Random,
    files: Vec<String>,
    learnt: Vec<u64>,
}

impl Generator {
    pub fn new(seed: u64, files: Vec<String>) -> Generator {
        Generator {
            random: Random::new(seed),
            files,
            learnt: Vec::new(),
        }
    }

    /// Remembers a value with which the module compares something.
    pub fn learn(&mut self, value: u64) {
        if self.learnt.len() < MOST_LEARNT && !self.learnt.contains(&value) {
            self.learnt.push(value);
        }
    }

    /// Returns a new sequence, which begins with an open.
    pub fn fresh(&mut self) -> Vec<Call> {
        let mut calls = vec![self.open(0)];
        for _ in 0..=self.random.below(NEW) {
            let call = self.call();
            calls.push(call);
        }
        if self.random.one_in(FORK) {
            let at = 1 + self.random.below(calls.len());
            calls.insert(at, plain("fork", Vec::new()));
        }
        calls
    }

    /// Changes a sequence in one or a few ways.
    pub fn changed(&mut self, calls: &[Call], other: &[Call]) -> Vec<Call> {
        let mut calls = calls.to_vec();
        for _ in 0..=self.random.below(3) {
            self.change(&mut calls, other);
        }
        calls.truncate(LONGEST);
        calls
    }

    fn change(&mut self, calls: &mut Vec<Call>, other: &[Call]) {
        if calls.is_empty() {
            *calls = self.fresh();
            return;
        }
        let at = self.random.below(calls.len());
        match self.random.below(10) {
            0..=2 => {
                let call = self.call();
                calls.insert(at + 1, call);
            }
            3 => _ = calls.remove(at),
            4 => {
                let again = calls[at].clone();
                calls.insert(at, again);
            }
            5 => {
                let from = self.random.below(other.len().max(1));
                calls.truncate(at + 1);
                calls.extend(other.iter().skip(from).cloned());
            }
            6 => calls[at].thread = self.random.below(usize::from(THREADS)) as u8,
            _ => self.change_word(&mut calls[at]),
        }
    }

    fn change_word(&mut self, call: &mut Call) {
        if call.words.is_empty() {
            return;
        }
        let at = self.random.below(call.words.len());
        let kind = FORMS[call.form].1[at];
        match &mut call.words[at] {
            Word::Number(number) if self.random.one_in(2) => {
                *number = match self.random.below(3) {
                    0 => number.wrapping_add(1),
                    1 => number.wrapping_sub(1),
                    _ => *number ^ (1 << self.random.below(64)),
                }
            }
            Word::Memory(Memory::Bytes(bytes)) if !bytes.is_empty() && !self.random.one_in(4) => {
                self.change_bytes(call, at);
            }
            word => *word = self.word(kind),
        }
    }

    fn change_bytes(&mut self, call: &mut Call, at: usize) {
        let learnt = self.learnt_value();
        let Word::Memory(Memory::Bytes(bytes)) = &mut call.words[at] else {
            return;
        };
        let place = self.random.below(bytes.len());
        match self.random.below(4) {
            0 => bytes[place] = self.random.next() as u8,
            1 => bytes[place] ^= 1 << self.random.below(8),
            2 => {
                let size = 1 << self.random.below(4);
                put(bytes, place / size * size, learnt, size);
            }
            _ => {
                let size = *self.random.choose(&SIZES);
                bytes.resize(size.min(4096), 0);
                let size = bytes.len() as i64;
                if let Some(Word::Number(length)) = call.words.get_mut(at + 1) {
                    *length = size;
                }
            }
        }
    }

    fn call(&mut self) -> Call {
        let name = *self.random.choose(&CHOICES);
        let mut call = match name {
            "open" => {
                let file = self.file();
                self.open(file)
            }
            name => {
                let form = form(name);
                let words = FORMS[form].1.iter().map(|kind| self.word(*kind)).collect();
                let mut call = Call {
                    thread: 0,
                    form,
                    words,
                };
                self.fit(&mut call);
                call
            }
        };
        if self.random.one_in(12) {
            call.thread = self.random.below(usize::from(THREADS)) as u8;
        }
        call
    }

    /// Makes the words of a call fit each other, mostly.
    fn fit(&mut self, call: &mut Call) {
        for at in 1..call.words.len() {
            let size = match &call.words[at - 1] {
                Word::Memory(memory) if memory.size() > 0 => memory.size() as i64,
                _ => continue,
            };
            if let (Word::Number(length), false) = (&mut call.words[at], self.random.one_in(5)) {
                *length = size;
            }
        }
        match (call.name(), call.words.as_mut_slice()) {
            ("ioctl", [_, Word::Number(number), _]) => *number = self.ioctl_number(),
            ("seek", [.., Word::Number(whence)]) => *whence = self.random.below(3) as i64,
            ("mmap", [_, Word::Number(size), Word::Number(at), Word::Number(how)]) => {
                *how = 1 + self.random.below(3) as i64;
                if !self.random.one_in(4) {
                    (*size, *at) = (4096, 0);
                }
            }
            _ => {}
        }
    }

    fn ioctl_number(&mut self) -> i64 {
        let learnt = self.learnt_value();
        match self.random.below(8) {
            0 => *self.random.choose(&IOCTLS),
            1 => self.random.below(16) as i64,
            2 => {
                // Direction and size, a letter, and a number.
                let size = *self.random.choose(&[0, 1, 4, 8, 16, 24, 32, 64]);
                let direction = self.random.below(4) as i64;
                let letter = i64::from(b'a') + self.random.below(26) as i64;
                direction << 30 | size << 16 | letter << 8 | self.random.below(16) as i64
            }
            3 => (self.random.next() as u32).into(),
            _ => (learnt as u32).into(),
        }
    }

    fn word(&mut self, kind: Kind) -> Word {
        match kind {
            Kind::File => Word::File(self.file()),
            Kind::Path => Word::Path(self.random.choose(&self.files).clone()),
            Kind::Number => Word::Number(self.number()),
            Kind::Memory => Word::Memory(self.memory()),
            Kind::Argument if self.random.one_in(3) => Word::Number(self.number()),
            Kind::Argument => Word::Memory(self.memory()),
        }
    }

    /// Mostly the first files, so that calls meet.
    fn file(&mut self) -> u8 {
        match self.random.below(6) {
            0..=3 => 0,
            4 => 1,
            _ => self.random.below(FILES.into()) as u8,
        }
    }

    fn number(&mut self) -> i64 {
        let learnt = self.learnt_value();
        match self.random.below(10) {
            0..=5 => *self.random.choose(&NUMBERS),
            6 => self.random.next() as i64,
            7 => self.random.below(4096) as i64,
            _ => learnt as i64,
        }
    }

    fn learnt_value(&mut self) -> u64 {
        match self.learnt.is_empty() {
            true => self.random.next(),
            false => *self.random.choose(&self.learnt),
        }
    }

    fn memory(&mut self) -> Memory {
        match self.random.below(16) {
            0 => {
                let bad = [
                    Memory::Null,
                    Memory::Unmapped,
                    Memory::ReadOnly,
                    Memory::Half,
                    Memory::Kernel,
                    Memory::NonCanonical,
                ];
                self.random.choose(&bad).clone()
            }
            1 => Memory::Window,
            2 | 3 => Memory::Bytes(self.random.choose(&TEXTS).to_vec()),
            4..=8 => Memory::Room(*self.random.choose(&SIZES)),
            _ => {
                // What is long is written down in full, so it is rare.
                let size = (*self.random.choose(&SIZES)).min(256);
                let mut bytes = vec![0; size];
                match self.random.below(3) {
                    0 => bytes.fill(b'a' + self.random.below(26) as u8),
                    1 => bytes.fill_with(|| self.random.next() as u8),
                    _ => {
                        let learnt = self.learnt_value();
                        put(&mut bytes, 0, learnt, 8);
                    }
                }
                Memory::Bytes(bytes)
            }
        }
    }

    fn open(&mut self, file: u8) -> Call {
        let path = self.random.choose(&self.files).clone();
        let flags = self.random.choose(&MODES) | self.random.choose(&FLAGS);
        plain(
            "open",
            vec![Word::File(file), Word::Path(path), Word::Number(flags)],
        )
    }
}

fn form(name: &str) -> usize {
    FORMS
        .iter()
        .position(|(known, _)| *known == name)
        .unwrap_or(0)
}

fn plain(name: &str, words: Vec<Word>) -> Call {
    Call {
        thread: 0,
        form: form(name),
        words,
    }
}

/// Writes a value of some bytes, as far as there is room.
pub fn put(bytes: &mut [u8], at: usize, value: u64, size: usize) {
    let value = value.to_le_bytes();
    for (to, from) in bytes.iter_mut().skip(at).zip(&value[..size.min(8)]) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_can_be_written_down() {
        let mut generator = Generator::new(1, vec!["/proc/x".to_owned(), "/dev/y z".to_owned()]);
        generator.learn(0x4b4f_5255);
        let mut calls = generator.fresh();
        for _ in 0..3000 {
            let other = generator.fresh();
            calls = generator.changed(&calls, &other);
            assert!(calls.len() <= LONGEST);
            for call in &calls {
                assert_eq!(Call::parse(&call.to_string()), Ok(call.clone()), "{call}");
            }
        }
    }

    #[test]
    fn same_seed_same_sequences() {
        let of = |seed| Generator::new(seed, vec!["/proc/x".to_owned()]).fresh();
        assert_eq!(of(3), of(3));
        assert_ne!(of(3), of(4));
    }

    #[test]
    fn every_choice_is_a_call() {
        let known = |name: &&str| FORMS.iter().any(|(form, _)| form == name);
        assert!(CHOICES.iter().all(known));
    }
}
