// SPDX-License-Identifier: MIT OR Apache-2.0

//! The file of the elevator: commands, readings, and how it comes and goes with the module.

use std::{
    fs::{self, File, OpenOptions},
    io::Read,
    os::unix::fs::{FileExt, PermissionsExt},
    sync::OnceLock,
    thread,
    time::Duration,
};

use koru_tests::{
    BadPointer, Errno, expect_eq, expect_errno, expect_modinfo, expect_ok, expect_out_of_range,
    files::{self, Served, text},
    read_bad, read_by, write_bad,
};

use crate::{
    CONTRACT, at_once, command, kernel_threads, load, look, parse, path, start, stop, until, write,
};

/// The file is there while the module is loaded, and only then.
#[test]
fn appears_and_goes_with_the_module() {
    files::comes_and_goes(&file());
}

/// A bad command is refused and changes nothing.
#[test]
fn bad_commands() {
    let _module = load(1, 1);
    command("2 3 V");
    let before = look();
    let huge = "1 2 P ".repeat(2000);
    for text in [
        "x",
        "\n",
        " ",
        "1",
        "1 2",
        "1 2 X",
        "1 2 p",
        "1 2 PP",
        "1 2 P L",
        "0 2 P",
        "1 0 P",
        "7 1 P",
        "1 7 P",
        "1 1 P",
        "-1 2 P",
        "1 256 P",
        "1 258 P",
        "99999999999999999999 1 P",
        "a b P",
        "1.0 2 P",
        "START",
        "starts",
        "star",
        "stopp",
        "start stop",
        "\0",
        "1 2 \0",
        "start\0",
        "\u{a0}",
        &huge,
    ] {
        let shown: String = text.chars().take(24).collect();
        let errno = CONTRACT.errno("errors.command");
        expect_errno(&format!("writing {shown:?}"), write(text), errno);
        expect_eq(
            &format!("looking at it after writing {shown:?}"),
            look(),
            before.clone(),
        );
    }
    expect_eq(
        "what writing nothing returns",
        expect_ok("writing nothing", write("")),
        0,
    );
    expect_eq("looking at it after that", look(), before);
}

/// A bad pointer is EFAULT, and changes and consumes nothing.
#[test]
fn bad_pointers() {
    let _module = load(1, 1);
    command("2 3 V");
    let before = look();
    let mut file = expect_ok(
        "opening",
        OpenOptions::new().read(true).write(true).open(path()),
    );
    for bad in BadPointer::ALL {
        for len in [1, 5, 64] {
            let written = write_bad(&file, bad, len);
            expect_errno(
                &format!("writing {len} bytes from a bad pointer ({bad:?})"),
                written,
                Errno::EFAULT,
            );
            let read = read_bad(&file, bad, len);
            expect_errno(
                &format!("reading {len} bytes to a bad pointer ({bad:?})"),
                read,
                Errno::EFAULT,
            );
        }
    }
    expect_eq(
        "a read of no bytes",
        expect_ok("reading", file.read(&mut [])),
        0,
    );
    let text = expect_ok("reading", read_by(&mut file, 4096));
    expect_eq(
        "what is read after that",
        parse(&String::from_utf8_lossy(&text)),
        before,
    );
}

/// Reads of any size give the same content, and then the end.
#[test]
fn reads_of_any_size() {
    let _module = load(1, 1);
    for call in ["1 6 P", "3 2 L", "6 1 V"] {
        command(call);
    }
    let whole = expect_ok("reading the file", fs::read(path()));
    for size in [1, 2, 7, 100, 4096] {
        let mut file = expect_ok("opening", File::open(path()));
        let read = expect_ok("reading", read_by(&mut file, size));
        let text = String::from_utf8_lossy(&read);
        expect_eq(
            &format!("reading {size} bytes at a time"),
            text,
            String::from_utf8_lossy(&whole),
        );
        expect_eq(
            "a read at the end",
            expect_ok("reading", file.read(&mut [0; 8])),
            0,
        );
    }
    let file = expect_ok("opening", File::open(path()));
    for at in [0, 1, 20, whole.len() - 1, whole.len(), whole.len() + 9] {
        let mut part = [0; 16];
        let n = expect_ok("pread", file.read_at(&mut part, at as u64));
        let rest = whole.get(at..).unwrap_or_default();
        expect_eq(
            &format!("pread of 16 bytes at {at}"),
            &part[..n],
            &rest[..rest.len().min(16)],
        );
    }
}

/// A read in pieces shows one moment, however it moves meanwhile.
#[test]
fn pieces_are_of_one_moment() {
    let _module = load(1, 1);
    start();
    for i in 0..20 {
        command(if i % 2 == 0 { "1 6 V" } else { "6 1 V" });
        let mut file = expect_ok("opening", File::open(path()));
        let text = expect_ok("reading", read_by(&mut file, 1));
        let seen = parse(&String::from_utf8_lossy(&text));
        expect_eq(
            "people who wait, ride and were served",
            seen.people(),
            i + 1,
        );
    }
}

/// A read in pieces shows one moment, whatever is done meanwhile on the same descriptor
/// that gives nobody anything.
#[test]
fn pieces_are_not_disturbed() {
    let _module = load(1, 1);
    let change = || command("2 5 L");
    files::disturbed_reads(path(), change, |done, seen, begun| {
        expect_eq(done, text(seen), text(begun));
    });
}

/// A pread at an offset does not bring back what was to be seen before.
#[test]
fn a_slow_pread_puts_nothing_back() {
    let _module = load(1, 1);
    let change = || command("2 5 L");
    files::a_slow_pread_puts_nothing_back(path(), change, |done, seen| {
        expect_eq(done, text(seen), text(&files::read_all(path())));
    });
}

/// Unloading works whatever it is doing, and leaves no thread.
#[test]
fn unloading_at_any_moment() {
    let threads = kernel_threads();
    for pause in 0..40 {
        let module = load(3, 2);
        for call in ["1 6 P", "3 2 L", "6 1 V", "2 5 B"] {
            command(call);
        }
        if pause > 0 {
            start();
        }
        if pause % 7 == 6 {
            stop();
        }
        thread::sleep(Duration::from_millis(pause));
        let held = expect_ok("opening", File::open(path()));
        at_once("unloading", || expect_ok("unloading", module.unload()));
        drop(held);
    }
    let left: Vec<String> = kernel_threads().difference(&threads).cloned().collect();
    expect_eq("threads that are left", left, Vec::<String>::new());
}

/// Two hundred processes at once are all served.
#[test]
fn two_hundred_processes() {
    let _module = load(1, 1);
    start();
    let calls = |i| {
        let (from, to) = (i % 6 + 1, (i + 1 + i / 6 % 5) % 6 + 1);
        format!("echo {from} {to} V > {0} && cat {0}", path())
    };
    for output in files::at_once(200, calls) {
        expect_eq(
            "a process that called it: succeeded",
            output.status.success(),
            true,
        );
        parse(&String::from_utf8_lossy(&output.stdout));
    }
    until("all 200 served", |s| s.served == 200);
    let seen = look();
    expect_eq("people who wait, ride and were served", seen.people(), 200);
}

/// The file as others are: while it is OFFLINE and nobody waits its text stays as it
/// is.
fn file() -> Served<'static> {
    let first = OnceLock::new();
    Served {
        contract: &CONTRACT,
        path: path(),
        whole: Some(Box::new(move |done, seen| {
            let seen = text(seen);
            let first = first.get_or_init(|| seen.clone());
            expect_eq(done, &seen, first);
            expect_eq("it ends with a newline", seen.ends_with('\n'), true);
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

/// pread gives what is at its offset, and leaves the position alone.
#[test]
fn preads() {
    files::preads(&file());
}

/// lseek works: back at the start, the file is read anew; before it is EINVAL.
#[test]
fn lseek_works() {
    files::seeks(&file());
}

/// `dd bs=1` copies the text.
#[test]
fn dd_byte_by_byte() {
    files::dd_byte_by_byte(&file());
}

/// A read of no bytes gives 0 and changes nothing.
#[test]
fn reads_of_nothing() {
    files::reads_of_nothing(&file());
}

/// A write of no bytes gives 0 and changes nothing.
#[test]
fn a_write_of_nothing() {
    let _module = CONTRACT.load();
    let before = files::read_all(path());
    expect_eq(
        "write of 0 bytes",
        expect_ok("write of 0 bytes", write("")),
        0,
    );
    let after = files::read_all(path());
    expect_eq("the text after it", text(&after), text(&before));
}

/// Whoever has the descriptor - a duplicate, a child, a thread, a process that it was
/// sent to - goes on where the last one was.
#[test]
fn descriptors_share_a_position() {
    files::descriptors_share_a_position(&file());
}

/// Everybody may read the file and write it: its mode is 0666.
#[test]
fn everybody_may_use_it() {
    let _module = CONTRACT.load();
    let mode = expect_ok("stat", fs::metadata(path())).permissions().mode() & 0o7777;
    expect_eq("the mode", format!("{mode:o}"), "666".to_owned());
    let script = format!(
        "cat {0} && echo {1} >{0}",
        path(),
        CONTRACT.text("commands.start")
    );
    let output = files::as_nobody(&script);
    expect_eq(
        "cat and echo by nobody: success",
        output.status.success(),
        true,
    );
}

/// The module can be unloaded while the file is open; reads are EIO from then on.
#[test]
fn unload_while_open() {
    files::unload_while_open(&file());
}

/// A second insmod is EEXIST and changes nothing.
#[test]
fn loading_twice() {
    files::loading_twice(&file(), "elevator");
}

/// When the file's name is taken the load fails, leaves no thread, and the other's
/// file stays.
#[test]
fn a_name_that_is_taken() {
    files::taken_name(&file(), "elevator", "kt_same_file");
}

/// A number that is too large for a parameter is refused.
#[test]
fn numbers_too_large() {
    let params = ["params.floor", "params.load"].map(|p| CONTRACT.text(p));
    expect_out_of_range("elevator", &params);
}

/// `modinfo` shows license, author, description, version and the parameters.
#[test]
fn modinfo_tells_who_and_what() {
    let params = ["params.floor", "params.load"].map(|p| CONTRACT.text(p));
    expect_modinfo("elevator", &params);
}
