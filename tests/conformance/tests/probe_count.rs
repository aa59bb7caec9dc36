// SPDX-License-Identifier: MIT OR Apache-2.0

//! `probe_count`: how often a function of the kernel is called.

use std::{
    fs::{self, File},
    io::Read,
    os::unix::fs::FileExt,
    sync::LazyLock,
    thread,
};

use koru_testing::{Log, Module, is_loaded};
use koru_tests::{
    BadPointer, Contract, Errno, contract, exists, expect_eq, expect_errno, expect_modinfo,
    expect_ok, fail_requirement,
    files::{self, Served, text},
    read_bad, read_by,
};
use rustix::process::getpriority_process;

koru_testing::test_file!(cpus_in_turn);

static CONTRACT: LazyLock<Contract> = contract!("probe_count");

/// A system call that nobody else here makes, and its function.
const RARE: &str = "__x64_sys_getpriority";

fn path() -> &'static str {
    CONTRACT.text("file")
}

fn probe(symbol: &str) -> Module {
    let parameter = CONTRACT.text("parameter");
    CONTRACT.load_with(&[&format!("{parameter}={symbol}")])
}

/// The number that is shown for this symbol.
#[track_caller]
fn hits(symbol: &str) -> u64 {
    number(
        symbol,
        &expect_ok("reading the file", fs::read_to_string(path())),
    )
}

#[track_caller]
fn number(symbol: &str, text: &str) -> u64 {
    let between = CONTRACT.text("between");
    let number = text
        .strip_prefix(symbol)
        .and_then(|t| t.strip_prefix(between)?.strip_suffix('\n'));
    let number = number.and_then(|n| n.parse().ok());
    number.unwrap_or_else(|| {
        let promised = format!("{symbol}{between}NUMBER and a newline");
        fail_requirement("reading the file", &promised, &format!("{text:?}"))
    })
}

/// Makes the rare system call.
fn call(times: u64) {
    for _ in 0..times {
        getpriority_process(None).expect("everybody has a priority");
    }
}

/// The file is there while the module is loaded, and only then.
#[test]
fn appears_and_goes_with_the_module() {
    files::comes_and_goes(&file());
}

/// Without a parameter it counts the function behind `openat`.
#[test]
fn counts_opens_by_default() {
    let _module = CONTRACT.load();
    let symbol = CONTRACT.text("default");
    let before = hits(symbol);
    for _ in 0..100 {
        File::open("/dev/null").expect("/dev/null");
    }
    let counted = hits(symbol) - before;
    if counted < 100 {
        fail_requirement(
            "opening 100 files",
            "at least 100 hits",
            &format!("{counted} hits"),
        );
    }
}

/// The count starts at 0 when the module is loaded.
#[test]
fn starts_at_zero() {
    call(5);
    let module = probe(RARE);
    expect_eq("hits after loading", hits(RARE), 0);
    call(5);
    expect_ok("unloading", module.unload());
    let _module = probe(RARE);
    expect_eq("hits after loading again", hits(RARE), 0);
}

/// Each call is counted, once.
#[test]
fn counts_each_call_once() {
    let _module = probe(RARE);
    for n in 1..=20 {
        call(1);
        expect_eq("hits after one more call", hits(RARE), n);
    }
    call(10_000);
    expect_eq("hits after 10000 more calls", hits(RARE), 10_020);
}

/// Reading does not count, nor does it reset the count.
#[test]
fn reading_changes_nothing() {
    let _module = probe(RARE);
    call(3);
    for _ in 0..5 {
        expect_eq("hits", hits(RARE), 3);
    }
}

/// Calls from all CPUs at once are all counted.
#[test]
fn none_is_lost_between_cpus() {
    let _module = probe(RARE);
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let threads = cpus * 2;
    thread::scope(|s| {
        for _ in 0..threads {
            s.spawn(|| call(20_000));
        }
    });
    let promised = threads as u64 * 20_000;
    expect_eq(
        &format!("hits after {threads} threads made 20000 calls each"),
        hits(RARE),
        promised,
    );
}

/// Calls of two hundred processes at once are all counted.
#[test]
fn two_hundred_processes() {
    let symbol = CONTRACT.text("default");
    let _module = probe(symbol);
    let before = hits(symbol);
    for output in files::at_once(200, |_| format!("cat {0} {0} {0}", path())) {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<u64> = text
            .split_inclusive('\n')
            .map(|l| number(symbol, l))
            .collect();
        expect_eq(
            "lines that a process read by reading three times",
            lines.len(),
            3,
        );
        expect_eq("the count never goes back", lines.is_sorted(), true);
    }
    let counted = hits(symbol) - before;
    if counted < 600 {
        fail_requirement(
            "200 processes opening three files",
            "at least 600 hits",
            &format!("{counted} hits"),
        );
    }
}

/// A function that the kernel does not have: loading fails with the kernel's error,
/// and a message names the function.
#[test]
fn an_unknown_function() {
    let log = Log::from_now();
    let symbol = "there_is_no_such_function";
    let params = [format!("{}={symbol}", CONTRACT.text("parameter"))];
    expect_errno(
        "loading for a function that there is not",
        load(&params),
        CONTRACT.errno("errors.unknown"),
    );
    nothing_is_left();
    says(&log, symbol);
}

/// A function that must not be probed: loading fails with the kernel's error, and a
/// message names the function.
#[test]
fn a_forbidden_function() {
    let log = Log::from_now();
    let symbol = "get_kprobe";
    let params = [format!("{}={symbol}", CONTRACT.text("parameter"))];
    expect_errno(
        "loading for a function of kprobes themselves",
        load(&params),
        CONTRACT.errno("errors.forbidden"),
    );
    nothing_is_left();
    says(&log, symbol);
}

fn load(params: &[String]) -> std::io::Result<()> {
    let params: Vec<&str> = params.iter().map(String::as_str).collect();
    Module::load("probe_count", &params).map(drop)
}

#[track_caller]
fn nothing_is_left() {
    expect_eq(
        "the module after a load that failed: is there",
        is_loaded("probe_count"),
        false,
    );
    expect_eq(
        "the file after a load that failed: is there",
        exists(path()),
        false,
    );
}

/// A message of the module, not just of the loader.
#[track_caller]
fn says(log: &Log, symbol: &str) {
    let records = log.records();
    let about = |r: &&koru_testing::LogRecord| r.text.contains(symbol);
    if records.iter().find(about).is_none() {
        let texts: Vec<&str> = records.iter().map(|r| r.text.as_str()).collect();
        fail_requirement(
            "the log after the load failed",
            &format!("a message with `{symbol}`"),
            &format!("{texts:?}"),
        );
    }
}

/// The symbol can be read under /sys/module.
#[test]
fn the_parameter_is_shown() {
    let module = probe(RARE);
    let file = format!(
        "/sys/module/{}/parameters/{}",
        module.name(),
        CONTRACT.text("parameter")
    );
    let shown = expect_ok("reading the parameter", fs::read_to_string(file));
    expect_eq("the parameter", shown.trim_end(), RARE);
}

/// After unloading the kernel has no probe of ours, and calls go on as before.
#[test]
fn the_probe_goes_with_the_module() {
    let list = || {
        let text = fs::read_to_string("/sys/kernel/debug/kprobes/list").unwrap_or_default();
        text.contains("sys_getpriority")
    };
    for _ in 0..20 {
        let module = probe(RARE);
        call(100);
        expect_eq("hits", hits(RARE), 100);
        expect_ok("unloading", module.unload());
        expect_eq("the kernel's list of probes has it", list(), false);
        call(100);
    }
}

/// Unloading while the function is being called all the time works.
#[test]
fn unloading_under_calls() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let done = AtomicBool::new(false);
    thread::scope(|s| {
        for _ in 0..2 {
            s.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    call(10);
                    // Emulated processors take turns, and this ends one's.
                    std::hint::spin_loop();
                }
            });
        }
        for _ in 0..20 {
            let module = probe(RARE);
            // On one CPU the others need their turn.
            while hits(RARE) < 50 {
                thread::yield_now();
            }
            expect_ok("unloading", module.unload());
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// Reads of any size give the same content, and then the end.
#[test]
fn reads_of_any_size() {
    let _module = probe(RARE);
    call(12_345);
    let whole = expect_ok("reading the file", fs::read(path()));
    for size in [1, 2, 7, 4096] {
        let mut file = expect_ok("opening", File::open(path()));
        let read = expect_ok("reading", read_by(&mut file, size));
        expect_eq(
            &format!("reading {size} bytes at a time"),
            String::from_utf8_lossy(&read),
            String::from_utf8_lossy(&whole),
        );
        expect_eq(
            "a read at the end",
            expect_ok("reading", file.read(&mut [0; 8])),
            0,
        );
        let mut part = [0; 4];
        let n = expect_ok("pread", file.read_at(&mut part, 2));
        expect_eq("pread of 4 bytes at 2", &part[..n], &whole[2..6]);
    }
}

/// A bad pointer is EFAULT and consumes nothing; a read of nothing is 0.
#[test]
fn bad_pointers() {
    let _module = probe(RARE);
    let mut file = expect_ok("opening", File::open(path()));
    for bad in BadPointer::ALL {
        expect_errno(
            &format!("a read to a bad pointer ({bad:?})"),
            read_bad(&file, bad, 64),
            Errno::EFAULT,
        );
    }
    expect_eq(
        "a read of no bytes",
        expect_ok("reading", file.read(&mut [])),
        0,
    );
    let text = expect_ok("reading", read_by(&mut file, 64));
    expect_eq(
        "hits that are read after that",
        number(RARE, &String::from_utf8_lossy(&text)),
        0,
    );
}

/// The file as others are. The count may go on: the module's own function is behind
/// every open.
fn file() -> Served<'static> {
    Served {
        contract: &CONTRACT,
        path: path(),
        whole: Some(Box::new(|_, seen| {
            number(CONTRACT.text("default"), &text(seen));
        })),
    }
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

/// Whoever has the descriptor - a duplicate, a child, a thread, a process that it was
/// sent to - goes on where the last one was.
#[test]
fn descriptors_share_a_position() {
    files::descriptors_share_a_position(&file());
}

/// Nobody can write the file.
#[test]
fn cannot_be_written() {
    files::cannot_be_written(&file());
}

/// The module can be unloaded while the file is open; reads are EIO from then on.
#[test]
fn unload_while_open() {
    files::unload_while_open(&file());
}

/// A second insmod is EEXIST and changes nothing.
#[test]
fn loading_twice() {
    files::loading_twice(&file(), "probe_count");
}

/// When the file's name is taken the load fails, and the other's file stays.
#[test]
fn a_name_that_is_taken() {
    files::taken_name(&file(), "probe_count", "kt_same_file");
}

/// `modinfo` shows license, author, description, version and the parameter.
#[test]
fn modinfo_tells_who_and_what() {
    expect_modinfo("probe_count", &[CONTRACT.text("parameter")]);
}
