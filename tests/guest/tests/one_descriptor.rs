// SPDX-License-Identifier: MIT OR Apache-2.0

//! What `jiffies` and `seconds` show is one number, whatever else is done on the same
//! descriptor. Modules that print by `seq_file` need not keep this: it is no part of
//! the contracts by which others' modules are judged.

use std::sync::{Mutex, PoisonError};

use koru_testing::Module;
use koru_tests::{expect_ok, fail_requirement, files, ticks, ticks_per_second, wait_ticks};

koru_testing::test_file!(mostly_waits);

#[track_caller]
fn number(line: &[u8]) -> u64 {
    let line = files::text(line);
    let digits = line.strip_suffix('\n').and_then(|l| l.parse().ok());
    digits.unwrap_or_else(|| {
        fail_requirement("reading", "a number and a newline", &format!("{line:?}"))
    })
}

/// A file whose number counts up, and lets so many ticks pass for the next one.
struct Counter {
    module: &'static str,
    path: &'static str,
    step: u64,
}

impl Counter {
    #[track_caller]
    fn load(&self) -> Module {
        expect_ok("insmod", Module::load(self.module, &[]))
    }

    fn now(&self) -> u64 {
        number(&files::read_all(self.path))
    }

    #[track_caller]
    fn is_in(&self, done: &str, seen: &[u8], from: u64, to: u64) {
        let seen = number(seen);
        if !(from..=to).contains(&seen) {
            fail_requirement(done, &format!("{from} to {to}"), &seen.to_string());
        }
    }

    /// Reads in pieces, with others' calls that give nothing.
    fn disturbed_reads(&self) {
        let before_change = Mutex::new(0);
        let set = |now| *before_change.lock().unwrap_or_else(PoisonError::into_inner) = now;
        let change = || {
            set(self.now());
            wait_ticks(self.step);
        };
        files::disturbed_reads(self.path, change, |done, seen, begun| {
            let to = before_change.lock().unwrap_or_else(PoisonError::into_inner);
            self.is_in(done, seen, number(begun), *to);
        });
    }

    /// An old number does not come back.
    fn a_slow_pread(&self) {
        let after_change = Mutex::new(0);
        let change = || {
            wait_ticks(self.step);
            let mut after = after_change.lock().unwrap_or_else(PoisonError::into_inner);
            *after = self.now();
        };
        files::a_slow_pread_puts_nothing_back(self.path, change, |done, seen| {
            let from = after_change.lock().unwrap_or_else(PoisonError::into_inner);
            self.is_in(done, seen, *from, self.now());
        });
    }
}

const JIFFIES: Counter = Counter {
    module: "jiffies",
    path: "/proc/jiffies",
    step: 111,
};

#[koru_testing::one_cpu]
#[test]
fn jiffies_in_pieces() {
    let _module = JIFFIES.load();
    JIFFIES.disturbed_reads();
}

#[test]
fn jiffies_and_a_slow_pread() {
    let _module = JIFFIES.load();
    JIFFIES.a_slow_pread();
}

/// From the tenth second on there are digits to mix.
#[koru_testing::one_cpu]
#[test]
fn seconds_in_pieces() {
    let hz = ticks_per_second();
    let seconds = Counter {
        module: "seconds",
        path: "/proc/seconds",
        step: hz,
    };
    let start = ticks();
    let _module = seconds.load();
    wait_ticks((start + 10 * hz).saturating_sub(ticks()));
    seconds.disturbed_reads();
    seconds.a_slow_pread();
}
