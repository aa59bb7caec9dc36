// SPDX-License-Identifier: MIT OR Apache-2.0

//! `jiffies`: /proc/jiffies.

use std::{fs::File, os::unix::fs::FileExt, sync::LazyLock};

use koru_tests::{
    Contract, contract, expect_eq, expect_modinfo, expect_ok, fail_requirement,
    files::{self, Served, read_all, read_once, read_rest, text},
    ticks, wait_ticks,
};

koru_testing::test_file!(one_cpu);

static CONTRACT: LazyLock<Contract> = contract!("jiffies");

/// The number of a decimal line.
#[track_caller]
fn number(done: &str, line: &[u8]) -> u64 {
    let line = text(line);
    let digits = line.strip_suffix('\n').unwrap_or("");
    let decimal = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    match digits.parse() {
        Ok(number) if decimal => number,
        _ => fail_requirement(done, "a decimal number and a newline", &format!("{line:?}")),
    }
}

/// What was read was the count at some moment from tick `from` to now.
#[track_caller]
fn since(from: u64, done: &str, line: &[u8]) {
    let seen = number(done, line);
    let now = ticks();
    if !(from..=now).contains(&seen) {
        fail_requirement(done, &format!("{from} to {now}"), &seen.to_string());
    }
}

fn file() -> Served<'static> {
    let start = ticks();
    Served {
        contract: &CONTRACT,
        path: CONTRACT.text("file"),
        whole: Some(Box::new(move |done, seen| since(start, done, seen))),
    }
}

/// The line is the kernel's count of ticks at the moment of the read.
#[test]
fn tells_the_jiffies() {
    let _module = CONTRACT.load();
    for _ in 0..50 {
        let before = ticks();
        since(before, "a cat", &read_all(CONTRACT.text("file")));
        wait_ticks(1);
    }
}

/// A line that is read in pieces is the number that was begun, however long that
/// takes.
#[test]
fn pieces_of_one_number() {
    let _module = CONTRACT.load();
    for pieces in [1, 2, 3] {
        let mut file = expect_ok("open", File::open(CONTRACT.text("file")));
        let before = ticks();
        let mut seen = read_once(&mut file, pieces);
        let after = ticks();
        // Its last three digits are others now.
        wait_ticks(111);
        seen.extend(read_rest(&mut file, pieces));
        let done = format!("reads of {pieces} bytes, with a wait after the first");
        let seen = number(&done, &seen);
        if !(before..=after).contains(&seen) {
            fail_requirement(&done, &format!("{before} to {after}"), &seen.to_string());
        }
    }
}

/// A read from the start of a file that is open already tells the time anew.
#[test]
fn the_start_is_always_new() {
    let _module = CONTRACT.load();
    let file = expect_ok("open", File::open(CONTRACT.text("file")));
    for _ in 0..10 {
        wait_ticks(2);
        let before = ticks();
        let mut line = [0; 64];
        let n = expect_ok("pread at 0", file.read_at(&mut line, 0));
        since(before, "pread at 0", &line[..n.min(64)]);
    }
}

/// pread takes a part from where it says, and nothing from behind the end.
#[test]
fn pread_takes_a_part() {
    let _module = CONTRACT.load();
    let line = read_all(CONTRACT.text("file"));
    let file = expect_ok("open", File::open(CONTRACT.text("file")));
    for at in (1..line.len() + 3).chain([4096, 1 << 31, i64::MAX as usize - 100]) {
        let mut part = [0; 64];
        let done = format!("pread at {at}");
        let n = expect_ok(&done, file.read_at(&mut part, at as u64)).min(64);
        expect_eq(&done, n, line.len().saturating_sub(at));
        let (digits, end) = part[..n].split_at(n.saturating_sub(1));
        let right = digits.iter().all(u8::is_ascii_digit) && (n == 0 || end == b"\n");
        expect_eq(&format!("{done} gives digits and a newline"), right, true);
    }
}

/// The file is there while the module is loaded, and only then.
#[test]
fn comes_and_goes_with_the_module() {
    files::comes_and_goes(&file());
}

/// Reads of any size, down to one byte at a time, give the whole line.
#[test]
fn reads_of_any_size() {
    files::reads_of_any_size(&file());
}

/// Reads of different sizes in turn give the whole line.
#[test]
fn reads_of_mixed_sizes() {
    files::reads_of_mixed_sizes(&file());
}

/// The end stays the end for as often as one reads; the next open starts again.
#[test]
fn ends_and_starts_again() {
    files::ends_and_starts_again(&file());
}

/// Two open files have positions of their own.
#[test]
fn positions_of_their_own() {
    files::positions_of_their_own(&file());
}

/// lseek works: back at the start, the file is read anew; before it is EINVAL.
#[test]
fn lseek_works() {
    files::seeks(&file());
}

/// `dd bs=1` copies the line.
#[test]
fn dd_byte_by_byte() {
    files::dd_byte_by_byte(&file());
}

/// A read of no bytes gives 0 and changes nothing.
#[test]
fn reads_of_nothing() {
    files::reads_of_nothing(&file());
}

/// A read to a bad address is EFAULT and takes nothing.
#[test]
fn bad_addresses() {
    files::bad_reads(&file());
}

/// Where a buffer ends early, no byte is lost.
#[test]
fn buffers_that_end_early() {
    files::buffers_that_end_early(&file());
}

/// Whoever has the descriptor - a duplicate, a child, a thread, a process that it
/// was sent to - goes on where the last one was.
#[koru_testing::all_cpus]
#[test]
fn descriptors_share_a_position() {
    files::descriptors_share_a_position(&file());
}

/// Everybody may read the file.
#[test]
fn everybody_reads() {
    files::everybody_reads(&file(), CONTRACT.number("mode"));
}

/// Nobody can write it.
#[test]
fn cannot_be_written() {
    files::cannot_be_written(&file());
}

/// The module can be unloaded while the file is open; reads are EIO from then on.
#[test]
fn unload_while_open() {
    files::unload_while_open(&file());
}

/// The module can be unloaded while others open and read the file.
#[koru_testing::all_cpus]
#[test]
fn unload_under_readers() {
    files::unload_under_readers(&file());
}

/// A second insmod is EEXIST and changes nothing.
#[test]
fn loading_twice() {
    files::loading_twice(&file(), "jiffies");
}

/// When the file's name is taken the load fails, and the other's file stays.
#[test]
fn a_name_that_is_taken() {
    files::taken_name(&file(), "jiffies", "kt_same_file");
}

/// Two hundred processes that read at once each get the line.
#[koru_testing::all_cpus]
#[test]
fn two_hundred_processes() {
    files::two_hundred_processes(&file());
}

/// Threads that read at once, on one descriptor too, each get the line.
#[koru_testing::all_cpus]
#[test]
fn racing_threads() {
    files::racing_threads(&file());
}

/// `modinfo` shows license, author, description and version.
#[test]
fn modinfo_tells_who_and_what() {
    expect_modinfo("jiffies", &[]);
}
