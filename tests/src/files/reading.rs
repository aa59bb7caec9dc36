// SPDX-License-Identifier: MIT OR Apache-2.0

//! Requirements on reads.

use std::{
    fs::File,
    io::{Seek, SeekFrom},
    os::unix::fs::FileExt,
    process::Command,
};

use nix::errno::Errno;

use super::served::{MAX_FILE_LEN, Served, read_all, read_once, read_rest, text};
use crate::{
    contract::{expect_eq, expect_errno, expect_ok, fail_requirement},
    slow_memory::SlowMemory,
    user_memory::{BadPointer, GuardPageBuffer, pread_bad, read_bad},
};

/// Requires that reads of any size return the whole content.
#[track_caller]
pub fn reads_of_any_size(file: &Served) {
    let _module = file.load();
    let len = read_all(file.path).len();
    for size in (1..len + 3).chain([4095, 4096, 4097, 1 << 20]) {
        let seen = read_rest(&mut file.open(), size);
        file.check(&format!("reads of {size} bytes until one gives 0"), &seen);
    }
}

/// Requires that reads of all sizes in turn, on one open file, return the whole content.
#[track_caller]
pub fn reads_of_mixed_sizes(file: &Served) {
    let _module = file.load();
    for start in 1..5 {
        let (mut opened, mut seen) = (file.open(), Vec::new());
        for size in start.. {
            match read_once(&mut opened, size) {
                part if part.is_empty() => break,
                part => seen.extend(part),
            }
            if seen.len() > MAX_FILE_LEN {
                fail_requirement("reads until one gives 0", "an end", "none");
            }
        }
        file.check(&format!("reads of {start}, {}, .. bytes", start + 1), &seen);
    }
}

/// Requires that the end stays the end, and that a new open starts again.
#[track_caller]
pub fn ends_and_starts_again(file: &Served) {
    let _module = file.load();
    for round in ["first", "second", "third"] {
        let mut opened = file.open();
        let seen = read_rest(&mut opened, 4096);
        file.check(&format!("the {round} cat"), &seen);
        for _ in 0..3 {
            let more = read_once(&mut opened, 4096);
            expect_eq("a read after the end", text(&more), "");
        }
    }
}

/// Requires that two open files do not move each other's positions.
#[track_caller]
pub fn positions_of_their_own(file: &Served) {
    let _module = file.load();
    let (mut a, mut b) = (file.open(), file.open());
    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    loop {
        let (x, y) = (read_once(&mut a, 1), read_once(&mut b, 2));
        if x.is_empty() && y.is_empty() {
            break;
        }
        of_a.extend(x);
        of_b.extend(y);
        if of_a.len() > MAX_FILE_LEN {
            fail_requirement("reads until one gives 0", "an end", "none");
        }
    }
    file.check("one of two files read in turn", &of_a);
    file.check("the other of two files read in turn", &of_b);
}

/// Requires that `pread` reads at its offset, returns nothing after the end, and leaves the
/// position alone.
///
/// The content must be constant.
#[track_caller]
pub fn preads(file: &Served) {
    let _module = file.load();
    let content = read_all(file.path);
    let mut opened = file.open();
    let start = read_once(&mut opened, 3);
    for at in (0..content.len() + 3).chain([4096, 1 << 31, 1 << 40, i64::MAX as usize - 100]) {
        let mut buffer = [0; 7];
        let done = format!("pread of 7 bytes at {at}");
        let n = expect_ok(&done, opened.read_at(&mut buffer, at as u64));
        let rest = content.get(at..).unwrap_or_default();
        let rest = &rest[..rest.len().min(7)];
        expect_eq(&done, text(buffer.get(..n).unwrap_or(&buffer)), text(rest));
    }
    let position = expect_ok("lseek", opened.stream_position());
    expect_eq("the position after preads", position, start.len() as u64);
    let rest = read_rest(&mut opened, 4096);
    file.check("a file read on after preads", &[start, rest].concat());
}

/// Requires that reads continue where `lseek` moved to.
///
/// The content is read anew only from the start, so it may change.
#[track_caller]
pub fn seeks(file: &Served) {
    let _module = file.load();
    let mut opened = file.open();
    let seen = read_rest(&mut opened, 4096);
    file.check("a cat", &seen);
    let position = expect_ok("lseek by 0", opened.stream_position());
    expect_eq("the position at the end", position, seen.len() as u64);
    for back in [SeekFrom::Start(0), SeekFrom::Current(-(seen.len() as i64))] {
        let done = format!("lseek to {back:?}");
        expect_eq(&done, expect_ok(&done, opened.seek(back)), 0);
        let again = read_rest(&mut opened, 5);
        file.check(&format!("reads after {done}"), &again);
        if again.len() != seen.len() {
            return;
        }
    }
    expect_ok("lseek to 2", opened.seek(SeekFrom::Start(2)));
    expect_errno(
        "lseek to before the start",
        opened.seek(SeekFrom::Current(-3)),
        Errno::EINVAL,
    );
    let position = expect_ok("lseek by 0", opened.stream_position());
    expect_eq("the position after a refused lseek", position, 2);
}

/// Requires that `dd bs=1` copies the content.
#[track_caller]
pub fn dd_byte_by_byte(file: &Served) {
    let _module = file.load();
    let mut dd = Command::new("dd");
    dd.args(["bs=1", "count=100000"])
        .arg(format!("if={}", file.path));
    let output = dd.output().expect("the guest has dd");
    expect_eq("dd bs=1 succeeds", output.status.success(), true);
    file.check("dd bs=1", &output.stdout);
}

/// Requires that a read of 0 bytes returns 0, before, in and after the content.
#[track_caller]
pub fn reads_of_nothing(file: &Served) {
    let _module = file.load();
    let mut opened = file.open();
    let mut seen = Vec::new();
    loop {
        let none = read_once(&mut opened, 0);
        expect_eq("a read of 0 bytes", none.len(), 0);
        expect_ok("pread of 0 bytes at 0", opened.read_at(&mut [], 0));
        match read_once(&mut opened, 1) {
            part if part.is_empty() => break,
            part => seen.extend(part),
        }
        if seen.len() > MAX_FILE_LEN {
            fail_requirement("reads until one gives 0", "an end", "none");
        }
    }
    expect_eq("a read of 0 bytes", read_once(&mut opened, 0).len(), 0);
    file.check("reads of 1 and of 0 bytes in turn", &seen);
}

/// An action on a descriptor, and its name.
type Disturbance = (&'static str, fn(&File));

/// The actions on a descriptor, during a read in pieces, that return nothing to anybody.
const DISTURBANCES: [Disturbance; 4] = [
    ("a pread of 0 bytes at 0", |file| {
        expect_eq("it", expect_ok("pread", file.read_at(&mut [], 0)), 0);
    }),
    ("a pread of 0 bytes at 2", |file| {
        expect_eq("it", expect_ok("pread", file.read_at(&mut [], 2)), 0);
    }),
    ("a pread to a bad address at 0", |file| {
        expect_errno(
            "it",
            pread_bad(file, BadPointer::Kernel, 100, 0),
            Errno::EFAULT,
        );
    }),
    ("a pread to a bad address at 2", |file| {
        expect_errno(
            "it",
            pread_bad(file, BadPointer::Kernel, 100, 2),
            Errno::EFAULT,
        );
    }),
];

/// Reads a file in two pieces, by one descriptor.
///
/// Between them the content changes, and an action on the descriptor returns nothing to anybody.
/// `check` gets what was read, and the whole content before the change.
#[track_caller]
pub fn disturbed_reads(path: &str, change: impl Fn(), check: impl Fn(&str, &[u8], &[u8])) {
    for (done, disturb) in DISTURBANCES {
        let mut file = expect_ok(&format!("open of {path}"), File::open(path));
        let before = read_all(path);
        let mut seen = read_once(&mut file, 3);
        change();
        disturb(&file);
        seen.extend(read_rest(&mut file, 4096));
        let done = format!("a read in two pieces, with {done} in between");
        check(&done, &seen, &before);
    }
}

/// Requires that a slow `pread` puts nothing back.
///
/// A `pread` at an offset takes long. Meanwhile the content changes, and another `pread` on the
/// same descriptor gets the first byte of the new content. It continues with that when the slow one
/// is done. `check` gets what it read.
#[track_caller]
pub fn a_slow_pread_puts_nothing_back(
    path: &str,
    change: impl Fn() + Sync,
    check: impl Fn(&str, &[u8]),
) {
    for (begun, reads) in [("nothing", 0), ("a read", 3)] {
        let mut file = expect_ok(&format!("open of {path}"), File::open(path));
        read_once(&mut file, reads);
        let memory = SlowMemory::new();
        let slow = memory.while_blocked(
            || memory.pread(&file, 0, 1, 1),
            || {
                change();
                let mut head = [0; 1];
                expect_eq(
                    "pread at 0",
                    expect_ok("pread", file.read_at(&mut head, 0)),
                    1,
                );
                head
            },
        );
        expect_eq("a slow pread of 1 byte at 1", expect_ok("pread", slow.0), 1);
        let mut seen = vec![0; MAX_FILE_LEN];
        let n = expect_ok("pread at 1", file.read_at(&mut seen[1..], 1));
        seen[0] = slow.1[0];
        seen.truncate(1 + n);
        let done =
            format!("preads at 0 and at 1, with a slow one around them and {begun} begun before");
        check(&done, &seen);
    }
}

/// Requires that a read to a bad address fails with `EFAULT` and takes nothing.
#[track_caller]
pub fn bad_reads(file: &Served) {
    let _module = file.load();
    let mut opened = file.open();
    let faults = |opened: &File| {
        for bad in BadPointer::ALL {
            for len in [1, 4096, 1 << 20] {
                let done = format!("read of {len} bytes to a bad address ({bad:?})");
                expect_errno(&done, read_bad(opened, bad, len), Errno::EFAULT);
            }
        }
    };
    faults(&opened);
    let start = read_once(&mut opened, 1);
    faults(&opened);
    let rest = read_rest(&mut opened, 4096);
    let seen = [start, rest].concat();
    file.check("what is read after EFAULTs", &seen);
}

/// Requires that a buffer which ends at unmapped memory gets the bytes for which it has space, or
/// nothing, and that no byte is lost.
#[track_caller]
pub fn buffers_that_end_early(file: &Served) {
    let _module = file.load();
    let len = read_all(file.path).len();
    let memory = GuardPageBuffer::new();
    for room in 0..len {
        let mut opened = file.open();
        let mut seen = Vec::new();
        let done = format!("read of 4096 bytes where {room} can be written");
        match memory.read(&opened, room, 4096) {
            Ok(n) if n > 0 && n <= room => seen.extend(&memory.bytes(room)[..n]),
            Ok(n) => fail_requirement(&done, "EFAULT", &format!("success ({n})")),
            Err(e) => expect_errno(&done, Err::<usize, _>(e), Errno::EFAULT),
        }
        seen.extend(read_rest(&mut opened, 4096));
        file.check(&format!("{done}, and then the rest"), &seen);
    }
    let done = "read of 1 MiB where 4096 bytes can be written";
    let n = expect_ok(done, memory.read(file.open(), 4096, 1 << 20));
    file.check(done, memory.bytes(4096).get(..n).unwrap_or_default());
}
