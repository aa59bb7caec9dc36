// SPDX-License-Identifier: MIT OR Apache-2.0

//! Decodes damaged logs: nothing may panic, hang, or lose a line.

use koru_decode::Style;
use koru_klog::Found;

use crate::{decoded, found};

const LOGS: [&str; 6] = [
    include_str!("../logs/kasan-6.12.txt"),
    include_str!("../logs/loop-6.12.txt"),
    include_str!("../logs/null-6.12.txt"),
    include_str!("../logs/panic-6.1.txt"),
    include_str!("../logs/panic-6.12.txt"),
    include_str!("../logs/warn-6.1.txt"),
];

/// A generator of numbers that look random and are the same in every run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// Decodes all reports, and returns how many lines came out.
fn lines_of(log: &str) -> usize {
    let style = Style {
        colour: false,
        raw: Some("raw"),
    };
    let count = |found: &Found<&str>| match found {
        Found::Other(_) => 1,
        Found::Report(report) => {
            let told = decoded(report);
            assert!(!told.text("", &style).is_empty());
            report.items.len()
        }
    };
    found(log).iter().map(count).sum()
}

#[track_caller]
fn check(log: &[u8]) {
    let log = String::from_utf8_lossy(log);
    assert_eq!(lines_of(&log), log.lines().count(), "{log}");
}

#[test]
fn cut_at_any_byte() {
    let mut numbers = Numbers(7);
    for log in LOGS {
        for _ in 0..30 {
            let from = numbers.below(log.len());
            let to = from + numbers.below(log.len() - from);
            check(&log.as_bytes()[from..to]);
        }
    }
}

#[test]
fn without_some_lines_and_out_of_order() {
    let mut numbers = Numbers(11);
    for log in LOGS {
        for round in 0..30 {
            let mut lines: Vec<&str> = log.lines().collect();
            lines.retain(|_| numbers.below(10) > round % 8);
            for _ in 0..numbers.below(6) {
                let (a, b) = (numbers.below(lines.len()), numbers.below(lines.len()));
                if a < lines.len() && b < lines.len() {
                    lines.swap(a, b);
                }
            }
            check(lines.join("\n").as_bytes());
        }
    }
}

#[test]
fn interleaved_with_another_log() {
    let mut numbers = Numbers(13);
    for (log, other) in LOGS.iter().zip(LOGS.iter().rev()) {
        for _ in 0..20 {
            let mut others = other.lines();
            let mut mixed = String::new();
            for line in log.lines() {
                mixed += line;
                // A console may lose the end of a line.
                mixed += if numbers.below(20) == 0 { "" } else { "\n" };
                for other in others.by_ref().take(numbers.below(3)) {
                    mixed += other;
                    mixed += "\n";
                }
            }
            check(mixed.as_bytes());
        }
    }
}

#[test]
fn with_garbage_in_it() {
    let mut numbers = Numbers(17);
    for log in LOGS {
        for round in 1..30 {
            let mut bytes = log.as_bytes().to_vec();
            for _ in 0..bytes.len() / (8 * round) {
                let at = numbers.below(bytes.len());
                bytes[at] = numbers.below(256) as u8;
            }
            check(&bytes);
        }
    }
    let noise: Vec<u8> = (0..100_000).map(|_| numbers.below(256) as u8).collect();
    check(&noise);
}

/// Words that the parsers look for, in any order: no pair of them may break one.
#[test]
fn pieces_of_reports_in_any_order() {
    let pieces = [
        "[",
        "]",
        "[<",
        ">]",
        "+0x",
        "/0x",
        "0x",
        "1",
        "ff",
        " ",
        "(",
        ")",
        ":",
        ".",
        "f",
        "?",
        "BUG: ",
        "KASAN: ",
        " in ",
        "WARNING: ",
        "CPU: ",
        " PID: ",
        " at ",
        "Comm: ",
        "<",
        ">",
        "RIP: 0010:",
        "IP: ",
        "Call Trace:",
        "unreferenced object 0x",
        "(size ",
        "INFO: task ",
        " from ",
        "main.c:1",
        "NIP [",
        "epc   : ",
        "Krnl PSW : ",
        "-> #1 (",
        "){",
        ", at: ",
        "cpu 0x",
        "pc: ",
        "| ",
        "> ",
        "kernel: ",
        "\u{e9}",
        "\u{1f980}",
        "comm \"",
        "12345 ",
    ];
    let mut numbers = Numbers(19);
    for _ in 0..6_000 {
        let line: String = (0..1 + numbers.below(9))
            .map(|_| pieces[numbers.below(pieces.len())])
            .collect();
        check(line.as_bytes());
    }
}
