// SPDX-License-Identifier: MIT OR Apache-2.0

//! `seconds`: /proc/seconds.

use std::{fs::File, os::unix::fs::FileExt, sync::LazyLock};

use koru_tests::{
    Contract, contract, expect_eq, expect_modinfo, expect_ok, fail_requirement,
    files::{self, Served, read_all, read_once, read_rest, text},
    ticks, ticks_per_second, wait_ticks,
};

koru_testing::test_file!(one_cpu, mostly_waits);

static CONTRACT: LazyLock<Contract> = contract!("seconds");

/// The number of a decimal line.
#[track_caller]
fn number(done: &str, line: &[u8]) -> u64 {
    let line = text(line);
    let digits = line.strip_suffix('\n').unwrap_or("");
    let decimal = digits.bytes().all(|b| b.is_ascii_digit());
    let plain = digits == "0" || !digits.starts_with('0');
    match digits.parse() {
        Ok(number) if decimal && plain => number,
        _ => fail_requirement(done, "a decimal number and a newline", &format!("{line:?}")),
    }
}

/// What was read is not more than what passed since before the load.
fn file() -> Served<'static> {
    let start = ticks();
    let whole = move |done: &str, seen: &[u8]| {
        let seen = number(done, seen);
        let most = (ticks() - start) / ticks_per_second();
        if seen > most {
            fail_requirement(done, &format!("at most {most}"), &seen.to_string());
        }
    };
    Served {
        contract: &CONTRACT,
        path: CONTRACT.text("file"),
        whole: Some(Box::new(whole)),
    }
}

/// The moment of a load or of a read: it was between these ticks.
struct Moment {
    from: u64,
    to: u64,
}

impl Moment {
    fn of<T>(f: impl FnOnce() -> T) -> (T, Moment) {
        let from = ticks();
        let value = f();
        (value, Moment { from, to: ticks() })
    }

    #[track_caller]
    fn seconds_until(&self, read: &Moment, done: &str, seen: u64) {
        let hz = ticks_per_second();
        let least = read.from.saturating_sub(self.to) / hz;
        let most = (read.to - self.from) / hz;
        if !(least..=most).contains(&seen) {
            let promised = match least == most {
                true => least.to_string(),
                false => format!("{least} or {most}"),
            };
            fail_requirement(done, &promised, &seen.to_string());
        }
    }
}

/// The line is the number of whole seconds since insmod.
#[test]
fn counts_seconds_since_insmod() {
    let (_module, loaded) = Moment::of(|| CONTRACT.load());
    for _ in 0..26 {
        let (line, read) = Moment::of(|| read_all(CONTRACT.text("file")));
        let seen = number("a cat", &line);
        loaded.seconds_until(&read, "a cat", seen);
        wait_ticks(ticks_per_second() / 8);
    }
}

/// A second begins when it has passed since insmod, not when the kernel's count
/// of ticks comes to a multiple of HZ.
#[test]
fn a_second_is_a_whole_second() {
    for eighth in 0..8 {
        let hz = ticks_per_second();
        // The load is at another part of the kernel's second each time.
        wait_ticks(1 + (hz + eighth * hz / 8 - ticks() % hz) % hz);
        let (_module, loaded) = Moment::of(|| CONTRACT.load());
        wait_ticks(hz - hz / 8);
        loop {
            let (line, read) = Moment::of(|| read_all(CONTRACT.text("file")));
            let seen = number("a cat", &line);
            loaded.seconds_until(&read, "a cat", seen);
            if seen > 0 {
                break;
            }
        }
    }
}

/// Loaded again, it starts from 0 again.
#[test]
fn starts_again_with_the_module() {
    let (module, _) = Moment::of(|| CONTRACT.load());
    wait_ticks(2 * ticks_per_second());
    expect_ok("rmmod", module.unload());
    let (_module, loaded) = Moment::of(|| CONTRACT.load());
    let (line, read) = Moment::of(|| read_all(CONTRACT.text("file")));
    loaded.seconds_until(&read, "a cat after insmod", number("a cat", &line));
}

/// A line that is read in pieces is the number that was begun.
#[test]
fn pieces_of_one_number() {
    let (_module, loaded) = Moment::of(|| CONTRACT.load());
    // Two digits, so that there are pieces.
    wait_ticks(10 * ticks_per_second());
    let mut file = expect_ok("open", File::open(CONTRACT.text("file")));
    let (mut seen, read) = Moment::of(|| read_once(&mut file, 1));
    wait_ticks(2 * ticks_per_second());
    seen.extend(read_rest(&mut file, 1));
    let done = "reads of 1 byte, with two seconds after the first";
    loaded.seconds_until(&read, done, number(done, &seen));
    expect_eq("its digits", seen.len() >= 3, true);
}

/// It goes on to count when the kernel's count of ticks passes 2^32, five minutes
/// after boot.
#[test]
#[ignore = "waits for that moment"]
fn across_the_wrap_of_32_bits() {
    const WRAP: u64 = 1 << 32;
    let hz = ticks_per_second();
    let (_module, loaded) = Moment::of(|| CONTRACT.load());
    expect_eq("it is before that moment", ticks() < WRAP, true);
    while ticks() < WRAP + 3 * hz {
        let (line, read) = Moment::of(|| read_all(CONTRACT.text("file")));
        loaded.seconds_until(&read, "a cat", number("a cat", &line));
        wait_ticks(hz / 2);
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

/// pread takes a part from where it says, leaves the position alone, and gives nothing
/// from behind the end.
#[test]
fn preads() {
    let _module = CONTRACT.load();
    let mut file = expect_ok("open", File::open(CONTRACT.text("file")));
    let begun = read_once(&mut file, 1);
    let part = |at: u64| {
        let mut bytes = [0; 32];
        let len = expect_ok("pread", file.read_at(&mut bytes, at));
        text(&bytes[..len])
    };
    let whole = number("pread at 0", part(0).as_bytes());
    let rest = part(1);
    expect_eq(
        "pread at 1 gives the rest",
        rest.len() + 1,
        whole.to_string().len() + 1,
    );
    expect_eq("pread behind the end", part(20), String::new());
    let line = [begun, read_rest(&mut file, 1)].concat();
    number("reads of 1 byte, with preads after the first", &line);
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
    files::loading_twice(&file(), "seconds");
}

/// When the file's name is taken the load fails, and the other's file stays.
#[test]
fn a_name_that_is_taken() {
    files::taken_name(&file(), "seconds", "kt_same_file");
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
    expect_modinfo("seconds", &[]);
}
