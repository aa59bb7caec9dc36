// SPDX-License-Identifier: MIT OR Apache-2.0

//! `full_ex`: /proc/full_ex, a deque for every process that opens it.

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::{
        fd::OwnedFd,
        unix::{
            fs::{FileExt, PermissionsExt},
            net::UnixStream,
            process::CommandExt,
        },
    },
    process::{Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use koru_testing::{Log, Module, is_loaded};
use koru_tests::{
    BadPointer, Child, Contract, Errno, GuardPageBuffer, NOBODY, contract, exists, expect_eq,
    expect_errno, expect_modinfo, expect_ok, fail_requirement,
    files::{self, Served},
    fork_with_id, in_child, read_bad, read_by_worker, send_in_flight, sync_with_parent, write_bad,
    write_by_worker,
};

static CONTRACT: LazyLock<Contract> = contract!("full_ex");

fn error(key: &str) -> Errno {
    CONTRACT.errno(&format!("errors.{key}"))
}

fn path() -> &'static str {
    CONTRACT.text("file")
}

fn largest() -> u8 {
    u8::try_from(CONTRACT.number("capacity")).expect("a capacity is one byte")
}

fn try_open() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path())
}

#[track_caller]
fn open() -> File {
    expect_ok("open for reading and writing", try_open())
}

/// An open file whose deque has room for so many.
#[track_caller]
fn deque(capacity: u8) -> File {
    let file = open();
    set_capacity(&file, capacity);
    file
}

#[track_caller]
fn set_capacity(file: &File, capacity: u8) {
    let done = format!("first write: the byte {capacity}");
    expect_eq(&done, expect_ok(&done, write(file, &[capacity])), 1);
}

fn write(mut file: &File, bytes: &[u8]) -> io::Result<usize> {
    file.write(bytes)
}

fn read(mut file: &File, bytes: &mut [u8]) -> io::Result<usize> {
    file.read(bytes)
}

fn try_push(file: &File, value: i32) -> io::Result<usize> {
    write(file, &value.to_ne_bytes())
}

#[track_caller]
fn push(file: &File, value: i32) {
    let done = format!("write of the integer {value}");
    expect_eq(&done, expect_ok(&done, try_push(file, value)), 4);
}

#[track_caller]
fn push_all(file: &File, values: &[i32]) {
    for value in values {
        push(file, *value);
    }
}

fn try_take(file: &File) -> io::Result<i32> {
    let mut bytes = [0; 4];
    match read(file, &mut bytes)? {
        4 => Ok(i32::from_ne_bytes(bytes)),
        n => fail_requirement("read of 4 bytes", "4", &n.to_string()),
    }
}

#[track_caller]
fn take(file: &File) -> i32 {
    expect_ok("read of 4 bytes", try_take(file))
}

/// All that is in it, from the left, which leaves it empty.
#[track_caller]
fn take_all(file: &File) -> Vec<i32> {
    let mut all = Vec::new();
    loop {
        match try_take(file) {
            Ok(value) => all.push(value),
            Err(e) => {
                let done = "read of 4 bytes from an empty deque";
                expect_errno(done, Err::<(), _>(e), error("empty"));
                return all;
            }
        }
        if all.len() > usize::from(u8::MAX) {
            fail_requirement("reading until it is empty", "an end", "no end");
        }
    }
}

/// What a plain deque would hold.
fn model(values: &[i32]) -> Vec<i32> {
    let mut model = VecDeque::new();
    for value in values {
        put(&mut model, *value);
    }
    model.into()
}

fn put(model: &mut VecDeque<i32>, value: i32) {
    if value.rem_euclid(2) == 1 {
        model.push_front(value);
    } else {
        model.push_back(value);
    }
}

/// The file is there while the module is loaded, and gone afterwards.
#[test]
fn appears_and_goes_with_the_module() {
    expect_eq("the file before insmod", exists(path()), false);
    let module = CONTRACT.load();
    expect_eq("the file after insmod", exists(path()), true);
    expect_ok("rmmod", module.unload());
    expect_eq("the file after rmmod", exists(path()), false);
}

/// Every user may open the file for reading and writing: its mode is 0666.
#[test]
fn everybody_may_use_it() {
    let _module = CONTRACT.load();
    let mode = expect_ok("stat", fs::metadata(path())).permissions().mode() & 0o7777;
    expect_eq("the file's mode", format!("{mode:04o}"), "0666");
    let mut command = Command::new("sh");
    let script = format!(
        r"exec 3<>{}; printf '\001' >&3; printf abcd >&3; head -c 4 <&3",
        path()
    );
    command.args(["-c", &script]).uid(NOBODY).gid(NOBODY);
    let output = command.output().expect("the guest has a shell");
    expect_eq(
        "capacity, write and read by the user nobody",
        String::from_utf8_lossy(&output.stdout) + &*String::from_utf8_lossy(&output.stderr),
        "abcd",
    );
}

/// The first write is one byte, the capacity: 1 to 100.
#[test]
fn every_capacity_from_one_to_the_largest() {
    let _module = CONTRACT.load();
    for capacity in 1..=largest() {
        let file = deque(capacity);
        let values: Vec<i32> = (0..i32::from(capacity)).collect();
        push_all(&file, &values);
        expect_errno(
            &format!("write number {} into a deque of {capacity}", capacity + 1),
            try_push(&file, 1),
            error("full"),
        );
        let done = format!("all that is in a deque of {capacity}");
        expect_eq(&done, take_all(&file), model(&values));
    }
}

/// A capacity of 0, or above 100 as an unsigned byte, is EINVAL; a right one may
/// follow.
#[test]
fn a_wrong_capacity() {
    let _module = CONTRACT.load();
    let file = open();
    for capacity in [0, largest() + 1, 127, 128, 200, 255] {
        expect_errno(
            &format!("first write: the byte {capacity}"),
            write(&file, &[capacity]),
            error("capacity"),
        );
        expect_errno(
            "read after a wrong capacity",
            try_take(&file),
            error("uninitialised"),
        );
    }
    set_capacity(&file, 1);
    push(&file, 1);
    expect_errno("write into a full deque", try_push(&file, 2), error("full"));
    expect_eq("read", take(&file), 1);
}

/// A first write that is not one byte long is EINVAL; a right one may follow.
#[test]
fn a_first_write_of_another_length() {
    let _module = CONTRACT.load();
    let file = open();
    for len in [0, 2, 3, 4, 5, 8, 4096, 100_000] {
        let bytes = vec![5; len];
        let done = format!("first write of {len} bytes");
        expect_errno(&done, write(&file, &bytes), error("capacity"));
    }
    expect_errno(
        "read before a capacity",
        try_take(&file),
        error("uninitialised"),
    );
    set_capacity(&file, 5);
    expect_eq("all that is in it", take_all(&file), [0; 0]);
}

/// Later writes are 4 bytes: any other length is EINVAL, and changes nothing.
#[test]
fn a_later_write_of_another_length() {
    let _module = CONTRACT.load();
    let file = deque(3);
    push_all(&file, &[1, 2]);
    for len in [0, 1, 2, 3, 5, 7, 8, 4096, 100_000] {
        let bytes = vec![5; len];
        let done = format!("later write of {len} bytes");
        expect_errno(&done, write(&file, &bytes), error("size"));
    }
    push(&file, 4);
    expect_eq("all that is in it", take_all(&file), [1, 2, 4]);
}

/// An odd integer goes in on the left, an even one on the right; a read takes the
/// leftmost.
#[test]
fn odd_left_even_right() {
    let _module = CONTRACT.load();
    let file = deque(10);
    push_all(&file, &[1, 2, 3, 4, 5, 6]);
    expect_eq("all that is in it", take_all(&file), [5, 3, 1, 2, 4, 6]);
    push_all(&file, &[2, 1]);
    expect_eq("read", take(&file), 1);
    push_all(&file, &[4, 3]);
    expect_eq("all that is in it", take_all(&file), [3, 2, 4]);
}

/// Negative integers follow the same rule: -3 is odd.
#[test]
fn negative_integers() {
    let _module = CONTRACT.load();
    let file = deque(10);
    let values = [-1, -2, -3, -4, i32::MIN, i32::MAX, 0, i32::MIN + 1];
    push_all(&file, &values);
    expect_eq(
        "all that is in it",
        take_all(&file),
        [i32::MIN + 1, i32::MAX, -3, -1, -2, -4, i32::MIN, 0],
    );
}

/// A write into a full deque is EACCES and changes nothing, on either side.
#[test]
fn a_full_deque() {
    let _module = CONTRACT.load();
    let file = deque(3);
    push_all(&file, &[1, 2, 3]);
    for value in [5, 6, -7, 0] {
        let done = format!("write of {value} into a full deque");
        expect_errno(&done, try_push(&file, value), error("full"));
    }
    expect_eq("read", take(&file), 3);
    push(&file, 8);
    expect_errno("write into a full deque", try_push(&file, 9), error("full"));
    expect_eq("all that is in it", take_all(&file), [1, 2, 8]);
}

/// A read from an empty deque, or before the capacity is set, is EACCES.
#[test]
fn nothing_to_read() {
    let _module = CONTRACT.load();
    let file = open();
    expect_errno(
        "read before a capacity",
        try_take(&file),
        error("uninitialised"),
    );
    set_capacity(&file, 2);
    expect_errno("read from an empty deque", try_take(&file), error("empty"));
    push(&file, 2);
    expect_eq("read", take(&file), 2);
    for _ in 0..3 {
        expect_errno("read from an empty deque", try_take(&file), error("empty"));
    }
    push(&file, 3);
    expect_eq("read", take(&file), 3);
}

/// A read of fewer than 4 bytes is EINVAL and takes nothing.
#[test]
fn a_short_read() {
    let _module = CONTRACT.load();
    let file = deque(2);
    push_all(&file, &[7, 8]);
    for len in [1, 2, 3, 0] {
        let mut bytes = vec![0x55; len];
        let done = format!("read of {len} bytes");
        expect_errno(&done, read(&file, &mut bytes), error("size"));
        expect_eq(
            "what the short buffer holds afterwards",
            bytes,
            vec![0x55; len],
        );
    }
    expect_eq("all that is in it", take_all(&file), [7, 8]);
}

/// A read of more than 4 bytes gives 4, and writes nothing behind them.
#[test]
fn a_long_read() {
    let _module = CONTRACT.load();
    let file = deque(2);
    push_all(&file, &[7, 8]);
    for value in [7i32, 8] {
        let mut bytes = [0x55; 4096];
        let n = expect_ok("read of 4096 bytes", read(&file, &mut bytes));
        expect_eq("read of 4096 bytes", n, 4);
        expect_eq("the 4 bytes", &bytes[..4], &value.to_ne_bytes()[..]);
        expect_eq(
            "bytes behind them are untouched",
            bytes[4..].iter().all(|b| *b == 0x55),
            true,
        );
    }
}

/// A read to a bad pointer is EFAULT and takes nothing.
#[test]
fn a_read_to_a_bad_pointer() {
    let _module = CONTRACT.load();
    let file = deque(2);
    let guarded = GuardPageBuffer::new();
    let not_taken = |done: &str, seen: io::Result<usize>, value: i32| {
        expect_errno(done, seen, Errno::EFAULT);
        let left = expect_ok(&format!("read after a {done}"), try_take(&file));
        expect_eq(&format!("read after a {done}"), left, value);
    };
    for bad in BadPointer::ALL {
        for len in [4, 100] {
            push(&file, 7);
            let done = format!("read of {len} bytes to {bad:?}");
            not_taken(&done, read_bad(&file, bad, len), 7);
        }
    }
    for room in 0..4 {
        push(&file, 8);
        let done = format!("read of 4 bytes to where {room} can be written");
        not_taken(&done, guarded.read(&file, room, 4), 8);
    }
    push(&file, 9);
    let done = "read of 100 bytes to where 4 can be written";
    expect_eq(done, expect_ok(done, guarded.read(&file, 4, 100)), 4);
    expect_eq(
        "what it gave",
        guarded.bytes(4),
        9i32.to_ne_bytes().to_vec(),
    );
}

/// A write from a bad pointer is EFAULT and changes nothing, the first one too.
#[test]
fn a_write_from_a_bad_pointer() {
    let _module = CONTRACT.load();
    let file = open();
    for bad in BadPointer::ALL {
        let done = format!("first write of 1 byte from {bad:?}");
        expect_errno(&done, write_bad(&file, bad, 1), Errno::EFAULT);
    }
    expect_errno(
        "read before a capacity",
        try_take(&file),
        error("uninitialised"),
    );
    set_capacity(&file, 2);
    push(&file, 2);
    for bad in BadPointer::ALL {
        let done = format!("later write of 4 bytes from {bad:?}");
        expect_errno(&done, write_bad(&file, bad, 4), Errno::EFAULT);
    }
    let guarded = GuardPageBuffer::new();
    for readable in 0..4 {
        let done = format!("write of 4 bytes of which {readable} can be read");
        let bytes = &[1; 4][..readable];
        expect_errno(&done, guarded.write(&file, bytes, 4), Errno::EFAULT);
    }
    push(&file, 3);
    expect_eq("all that is in it", take_all(&file), [3, 2]);
}

/// Whatever is written and read in turn, it is the deque of the contract: at each
/// capacity, however often it wraps around.
#[test]
fn a_long_game() {
    let _module = CONTRACT.load();
    // Any numbers; the same in every run.
    let mut seed = 0x2545_f491u32;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed
    };
    for capacity in [1, 2, 3, 7, 64, largest()] {
        let file = deque(capacity);
        let mut model = VecDeque::new();
        // Towards full, towards empty, and back.
        for step in 0..4000u32 {
            let pushes = if step / 300 % 2 == 0 { 5 } else { 3 };
            if next() % 8 < pushes {
                let value = next() as i32;
                if model.len() == usize::from(capacity) {
                    expect_errno(
                        "write into a full deque",
                        try_push(&file, value),
                        error("full"),
                    );
                } else {
                    push(&file, value);
                    put(&mut model, value);
                }
            } else {
                match model.pop_front() {
                    Some(value) => expect_eq("read", take(&file), value),
                    None => {
                        expect_errno("read from an empty deque", try_take(&file), error("empty"))
                    }
                }
            }
        }
        expect_eq("all that is left", take_all(&file), Vec::from(model));
    }
}

/// A process that holds the file gets EACCES from a second open, whichever thread
/// asks and whatever for; the deque that it has goes on.
#[test]
fn a_second_open() {
    let _module = CONTRACT.load();
    let file = open();
    expect_errno("second open", try_open(), error("held"));
    set_capacity(&file, 2);
    push(&file, 2);
    expect_errno("second open", try_open(), error("held"));
    expect_errno(
        "second open, for reading only",
        File::open(path()),
        error("held"),
    );
    let writing = OpenOptions::new().write(true).open(path());
    expect_errno("second open, for writing only", writing, error("held"));
    let other = thread::spawn(try_open).join().expect("a thread");
    expect_errno("second open, by another thread", other, error("held"));
    expect_eq("all that is in it", take_all(&file), [2]);
}

/// After the file is closed it may be opened again, and starts from nothing.
#[test]
fn opening_again_starts_from_nothing() {
    let _module = CONTRACT.load();
    for round in 0..200u8 {
        let file = open();
        expect_errno(
            "read before a capacity",
            try_take(&file),
            error("uninitialised"),
        );
        expect_errno(
            "first write of 4 bytes",
            try_push(&file, 1),
            error("capacity"),
        );
        set_capacity(&file, round % largest() + 1);
        expect_errno("read from an empty deque", try_take(&file), error("empty"));
        push(&file, i32::from(round));
    }
}

/// `dup` makes another descriptor of the same deque; the file is closed when both
/// are.
#[test]
fn a_duplicated_descriptor() {
    let _module = CONTRACT.load();
    let first = deque(3);
    push_all(&first, &[2, 4]);
    let second = expect_ok("dup", first.try_clone());
    expect_eq("read through the second", take(&second), 2);
    drop(first);
    expect_errno("open while one of two is left", try_open(), error("held"));
    push(&second, 1);
    expect_eq("all that is in it", take_all(&second), [1, 4]);
    drop(second);
    let file = open();
    expect_errno(
        "read before a capacity",
        try_take(&file),
        error("uninitialised"),
    );
}

/// All threads of a process use its deque, and go on when the one that opened it
/// has ended.
#[test]
fn every_thread_of_the_process() {
    let _module = CONTRACT.load();
    let file = thread::spawn(|| deque(4)).join().expect("a thread");
    push(&file, 1);
    let values = thread::scope(|s| {
        let other = s.spawn(|| {
            push(&file, 2);
            take(&file)
        });
        other.join()
    });
    expect_eq("read by another thread", values.expect("a thread"), 1);
    expect_errno("second open", try_open(), error("held"));
    // Closed by a thread that neither opened nor used it.
    thread::spawn(move || drop(file)).join().expect("a thread");
    drop(open());
}

/// Threads that race on one deque lose no integer and get none twice.
#[test]
fn racing_threads() {
    let _module = CONTRACT.load();
    let file = deque(largest());
    let (writers, each) = (3, 2000);
    let taken = AtomicUsize::new(0);
    let all = usize::try_from(writers * each).expect("a number");
    let mut got: Vec<i32> = thread::scope(|s| {
        for writer in 0..writers {
            let file = &file;
            s.spawn(move || {
                for i in 0..each {
                    while let Err(e) = try_push(file, i * writers + writer) {
                        expect_errno("write into a full deque", Err::<(), _>(e), error("full"));
                        thread::yield_now();
                    }
                }
            });
        }
        let readers: Vec<_> = (0..3)
            .map(|_| {
                s.spawn(|| {
                    let mut got = Vec::new();
                    while taken.load(Ordering::Relaxed) < all {
                        match try_take(&file) {
                            Ok(value) => {
                                got.push(value);
                                taken.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(e) => {
                                expect_errno(
                                    "read from an empty deque",
                                    Err::<(), _>(e),
                                    error("empty"),
                                );
                                thread::yield_now();
                            }
                        }
                    }
                    got
                })
            })
            .collect();
        let got = readers.into_iter().map(|r| r.join().expect("a reader"));
        got.flatten().collect()
    });
    got.sort_unstable();
    expect_eq(
        "all integers that were read",
        got == (0..writers * each).collect::<Vec<_>>(),
        true,
    );
    expect_eq("all that is left", take_all(&file), [0; 0]);
}

/// Each process that opens the file has a deque of its own.
#[test]
fn a_deque_for_each_process() {
    let _module = CONTRACT.load();
    let mine = deque(2);
    push_all(&mine, &[2, 4]);
    let mut child = Child::fork(|channel| {
        let theirs = open();
        expect_errno(
            "read before a capacity",
            try_take(&theirs),
            error("uninitialised"),
        );
        set_capacity(&theirs, 3);
        push_all(&theirs, &[6, 8, 10]);
        sync_with_parent(channel);
        expect_eq(
            "all that is in the second process's",
            take_all(&theirs),
            [6, 8, 10],
        );
    });
    child.wait_for();
    expect_errno("write into a full deque", try_push(&mine, 1), error("full"));
    expect_eq("read by the first process", take(&mine), 2);
    child.go_on();
    child.join();
    expect_eq(
        "all that is left in the first process's",
        take_all(&mine),
        [4],
    );
}

/// A forked child gets EACCES from reading and writing what it inherited, and
/// changes nothing by it, nor by closing it.
#[test]
fn an_inherited_descriptor() {
    let _module = CONTRACT.load();
    let file = open();
    let refused = |what: &str| {
        let done = format!("write of 1 byte by a child, {what}");
        let seen = in_child(|| write(&file, &[5]).map(|n| n as i32));
        expect_errno(&done, seen, error("not_owner"));
        let done = format!("write of 4 bytes by a child, {what}");
        let seen = in_child(|| try_push(&file, 5).map(|n| n as i32));
        expect_errno(&done, seen, error("not_owner"));
        let done = format!("read by a child, {what}");
        expect_errno(&done, in_child(|| try_take(&file)), error("not_owner"));
        let grandchild = in_child(|| in_child(|| try_take(&file)));
        expect_errno("read by a child's child", grandchild, error("not_owner"));
    };
    refused("before a capacity");
    expect_errno(
        "read before a capacity",
        try_take(&file),
        error("uninitialised"),
    );
    set_capacity(&file, 2);
    refused("from an empty deque");
    push(&file, 2);
    refused("from a deque that is not empty");
    push(&file, 4);
    refused("from a full deque");
    expect_eq("all that is in it", take_all(&file), [2, 4]);
    expect_errno("second open", try_open(), error("held"));
}

/// A child that inherited one may open its own, and each is what it was.
#[test]
fn a_child_opens_its_own() {
    let _module = CONTRACT.load();
    let file = deque(2);
    push(&file, 2);
    Child::fork(|_| {
        let own = deque(1);
        push(&own, 5);
        expect_errno(
            "read of the inherited one",
            try_take(&file),
            error("not_owner"),
        );
        expect_errno("second open", try_open(), error("held"));
        expect_eq("all that is in the child's", take_all(&own), [5]);
        drop(own);
        let again = open();
        expect_errno(
            "read before a capacity",
            try_take(&again),
            error("uninitialised"),
        );
    })
    .join();
    expect_eq("all that is in the parent's", take_all(&file), [2]);
}

/// The file is closed when the last descriptor is, whoever holds it: until then
/// the opener gets EACCES from open, and afterwards may open again.
#[test]
fn the_last_descriptor_is_a_childs() {
    let _module = CONTRACT.load();
    let file = deque(2);
    push(&file, 2);
    let mut kept = Some(file);
    let mut child = Child::fork(|channel| {
        sync_with_parent(channel);
        kept.take();
        sync_with_parent(channel);
    });
    child.wait_for();
    kept.take();
    expect_errno(
        "open while a child holds the file",
        try_open(),
        error("held"),
    );
    child.go_on();
    child.wait_for();
    let file = expect_ok("open after a child has closed the file", try_open());
    expect_errno(
        "read before a capacity",
        try_take(&file),
        error("uninitialised"),
    );
    child.go_on();
    child.join();
    // Closed by a child's end.
    let mut kept = Some(file);
    let mut child = Child::fork(sync_with_parent);
    child.wait_for();
    kept.take();
    expect_errno(
        "open while a child holds the file",
        try_open(),
        error("held"),
    );
    child.go_on();
    child.join();
    drop(expect_ok("open after a child has ended", try_open()));
}

/// A descriptor that is sent over a socket keeps the file open on its way, and is
/// the opener's again when it comes back.
#[test]
fn a_descriptor_in_flight() {
    let _module = CONTRACT.load();
    let file = deque(2);
    push(&file, 2);
    let receive = send_in_flight(file);
    expect_errno(
        "open while a message holds the file",
        try_open(),
        error("held"),
    );
    let file = receive();
    expect_eq("all that is in it", take_all(&file), [2]);
    // A message that nobody takes.
    drop(send_in_flight(file));
    drop(expect_ok("open after the socket is closed", try_open()));
}

/// A process that was sent the descriptor gets EACCES from reading and writing.
/// It may open a deque of its own, even when the opener is gone.
#[test]
fn a_descriptor_that_was_sent() {
    let _module = CONTRACT.load();
    let file = sent_by_one_that_ended();
    expect_errno("read of what was sent", try_take(&file), error("not_owner"));
    expect_errno(
        "write to what was sent",
        try_push(&file, 4),
        error("not_owner"),
    );
    let own = deque(1);
    push(&own, 3);
    expect_errno("read of what was sent", try_take(&file), error("not_owner"));
    drop(file);
    expect_eq("all that is in the own one", take_all(&own), [3]);
}

/// The deque (2) of a process that has ended.
#[track_caller]
fn sent_by_one_that_ended() -> File {
    sent_by_one_with_id().1
}

#[track_caller]
fn sent_by_one_with_id() -> (i32, File) {
    let child = Child::fork(|channel| {
        let file = deque(2);
        push(&file, 2);
        koru_tests::send(&*channel, &file);
    });
    let id = child.id();
    let file = koru_tests::receive(&child.channel);
    child.join();
    (id, file)
}

/// A program that replaces the opener's by `exec` is the same process: it goes
/// on with the deque, also when a thread that is not the first called `exec`.
#[test]
fn a_program_started_by_exec() {
    let _module = CONTRACT.load();
    let dd = |file: &File, out: &mut UnixStream| {
        let error = Command::new("dd")
            .args(["bs=4", "count=1"])
            .stdin(Stdio::from(file.try_clone().expect("dup")))
            .stdout(Stdio::from(OwnedFd::from(out.try_clone().expect("dup"))))
            .stderr(Stdio::null())
            .exec();
        panic!("exec: {error}");
    };
    let of = |mut child: Child| {
        let mut bytes = Vec::new();
        child
            .channel
            .read_to_end(&mut bytes)
            .expect("what dd wrote");
        bytes
    };
    let child = Child::fork(|channel| {
        let file = deque(2);
        push_all(&file, &[6, 8]);
        dd(&file, channel);
    });
    expect_eq(
        "read by the new program",
        of(child),
        6i32.to_ne_bytes().to_vec(),
    );
    let child = Child::fork(|channel| {
        let file = deque(2);
        push_all(&file, &[6, 8]);
        thread::scope(|s| {
            s.spawn(|| dd(&file, channel));
        });
    });
    expect_eq(
        "read by the new program that another thread started",
        of(child),
        6i32.to_ne_bytes().to_vec(),
    );
}

/// `exec` closes a descriptor that is marked so, and the new program may open the
/// file.
#[test]
fn closed_by_exec() {
    let _module = CONTRACT.load();
    let mut child = Child::fork(|channel| {
        let _closed_by_exec = deque(2);
        let script = format!("exec 3<>{} && echo it is open", path());
        let out = OwnedFd::from(channel.try_clone().expect("dup"));
        let error = Command::new("sh").args(["-c", &script]).stdout(out).exec();
        panic!("exec: {error}");
    });
    let mut said = String::new();
    child
        .channel
        .read_to_string(&mut said)
        .expect("what the program said");
    expect_eq("open by the new program", said.trim(), "it is open");
    child.join();
}

/// A new process with the id of one that has ended never meets its deque.
#[test]
fn a_process_id_used_again() {
    let _module = CONTRACT.load();
    let (id, file) = sent_by_one_with_id();
    let child = fork_with_id(id, |_| {
        expect_errno(
            "read by a process with the opener's id",
            try_take(&file),
            error("not_owner"),
        );
        expect_errno(
            "write by a process with the opener's id",
            try_push(&file, 4),
            error("not_owner"),
        );
        let own = expect_ok("open by a process with the opener's id", try_open());
        expect_errno(
            "read before a capacity",
            try_take(&own),
            error("uninitialised"),
        );
        set_capacity(&own, 1);
        push(&own, 7);
        expect_eq("all that is in its own", take_all(&own), [7]);
    });
    child.join();
    // Its id is free again; the first file is open still.
    fork_with_id(id, |_| {
        drop(expect_ok(
            "open by a third process with this id",
            try_open(),
        ))
    })
    .join();
    expect_errno("read of what was sent", try_take(&file), error("not_owner"));
}

/// A read or a write by io_uring, whose worker threads make it for the process, is
/// one by the process.
#[test]
fn reading_and_writing_by_io_uring() {
    let _module = CONTRACT.load();
    let file = open();
    let read = || {
        let bytes = read_by_worker(&file, 4)?;
        Ok(i32::from_ne_bytes(bytes.try_into().expect("4 bytes")))
    };
    let write = |bytes: &[u8]| write_by_worker(&file, bytes);
    expect_eq(
        "first write by io_uring",
        expect_ok("write", write(&[2])),
        1,
    );
    for value in [2i32, 3] {
        expect_eq(
            "write by io_uring",
            expect_ok("write", write(&value.to_ne_bytes())),
            4,
        );
    }
    expect_errno(
        "write by io_uring into a full deque",
        write(&[0; 4]),
        error("full"),
    );
    expect_eq("read by io_uring", expect_ok("read", read()), 3);
    expect_eq("read by io_uring", expect_ok("read", read()), 2);
    expect_errno(
        "read by io_uring from an empty deque",
        read(),
        error("empty"),
    );
}

/// Two hundred processes have their deques at once.
#[test]
fn two_hundred_processes_at_once() {
    let _module = CONTRACT.load();
    let mut children: Vec<Child> = (0..200)
        .map(|i: i32| {
            Child::fork(move |channel| {
                let capacity = u8::try_from(i).expect("below 200") % largest() + 1;
                let file = deque(capacity);
                let values: Vec<i32> = (0..i32::from(capacity)).map(|n| n * 1000 + i).collect();
                push_all(&file, &values);
                sync_with_parent(channel);
                expect_errno("second open", try_open(), error("held"));
                expect_errno("write into a full deque", try_push(&file, 1), error("full"));
                sync_with_parent(channel);
                expect_eq("all that is in it", take_all(&file), model(&values));
            })
        })
        .collect();
    for _ in 0..2 {
        children.iter_mut().for_each(Child::wait_for);
        children.iter_mut().for_each(Child::go_on);
    }
    children.into_iter().for_each(Child::join);
}

/// Opening, reading and writing put nothing into the kernel log.
#[test]
fn nothing_is_logged() {
    let _module = CONTRACT.load();
    let log = Log::from_now();
    // Whatever comes of each: other promises speak of that.
    for _ in 0..10 {
        let file = expect_ok("open", try_open());
        for bytes in [&[2][..], &[1; 4], &[2; 4], &[3; 4], &[4]] {
            let _ = write(&file, bytes);
        }
        let _ = try_open();
        for length in [1, 4, 4, 4] {
            let _ = read(&file, &mut [0; 4][..length]);
        }
    }
    let said: Vec<String> = log.records().into_iter().map(|r| r.text).collect();
    expect_eq("the log meanwhile", said, [""; 0]);
}

/// The module can be unloaded while the file is open: the descriptor is dead from
/// then on, and has nothing to do with the module's next load.
#[test]
fn unloading_under_an_open_file() {
    let module = CONTRACT.load();
    let name = module.name().to_owned();
    let file = deque(2);
    push(&file, 2);
    let mut child = Child::fork(|channel| {
        let theirs = deque(2);
        push(&theirs, 3);
        sync_with_parent(channel);
        expect_errno("read after rmmod", try_take(&theirs), Errno::EIO);
        expect_errno("write after rmmod", try_push(&theirs, 1), Errno::EIO);
        drop(theirs);
        sync_with_parent(channel);
        drop(expect_ok("open after the next insmod", try_open()));
    });
    child.wait_for();
    expect_ok("rmmod while the file is open", module.unload());
    expect_eq("/sys/module has it after rmmod", is_loaded(&name), false);
    expect_eq("the file after rmmod", exists(path()), false);
    child.go_on();
    child.wait_for();
    expect_errno("read after rmmod", try_take(&file), Errno::EIO);
    expect_errno("write after rmmod", try_push(&file, 1), Errno::EIO);
    expect_errno("open after rmmod", try_open(), Errno::ENOENT);
    let _module = CONTRACT.load();
    let new = expect_ok("open after the next insmod", try_open());
    expect_errno(
        "read before a capacity",
        try_take(&new),
        error("uninitialised"),
    );
    expect_errno("read of the old descriptor", try_take(&file), Errno::EIO);
    child.go_on();
    child.join();
    drop(file);
    expect_errno("second open", try_open(), error("held"));
    set_capacity(&new, 1);
}

/// Processes that open and use it while it is loaded and unloaded get a whole
/// deque or an error.
#[test]
fn loading_and_unloading_under_users() {
    let users: Vec<Child> = (0..6)
        .map(|i: i32| {
            Child::fork(move |channel| {
                channel.set_nonblocking(true).expect("a socket");
                let mut uses = 0u32;
                // Until the parent closes its end.
                while !matches!(channel.read(&mut [0]), Ok(0)) {
                    if use_once(i) {
                        uses += 1;
                        if uses == 20 {
                            let _ = channel.write(b"x");
                        }
                    }
                    thread::yield_now();
                }
                assert!(uses >= 20, "used it only {uses} times");
            })
        })
        .collect();
    let mut users = users;
    let waiting = AtomicBool::new(true);
    thread::scope(|s| {
        s.spawn(|| {
            let mut rounds = 0;
            while waiting.load(Ordering::Relaxed) || rounds < 30 {
                let module = CONTRACT.load();
                for _ in 0..rounds % 5 * 3 {
                    thread::yield_now();
                }
                expect_ok("rmmod", module.unload());
                rounds += 1;
            }
        });
        // When a user fails, too.
        let _done = Clear(&waiting);
        users.iter_mut().for_each(Child::wait_for);
    });
    for user in users {
        let _ = user.channel.shutdown(std::net::Shutdown::Write);
        user.join();
    }
}

/// Clears the flag when it is dropped.
struct Clear<'a>(&'a AtomicBool);

impl Drop for Clear<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Whether all of it went well. The module may go at any step, and then every
/// later one is EIO.
fn use_once(i: i32) -> bool {
    let file = match try_open() {
        Ok(file) => file,
        Err(e) => {
            expect_errno("open without the module", Err::<(), _>(e), Errno::ENOENT);
            return false;
        }
    };
    let dead = |e: io::Error| expect_errno("use after rmmod", Err::<(), _>(e), Errno::EIO);
    let used = (|| {
        write(&file, &[3])?;
        for value in [i * 2, i * 2 + 1, -2] {
            try_push(&file, value)?;
        }
        for value in [i * 2 + 1, i * 2, -2] {
            expect_eq("read", try_take(&file)?, value);
        }
        Ok(())
    })();
    used.map_err(dead).is_ok()
}

/// A second insmod is refused, and changes nothing.
#[test]
fn loading_twice_is_eexist() {
    let _module = CONTRACT.load();
    let file = deque(2);
    push(&file, 2);
    expect_errno(
        "insmod of a loaded module",
        Module::load("full_ex", &[]),
        Errno::EEXIST,
    );
    expect_eq("all that is in it", take_all(&file), [2]);
}

/// The position of the file plays no part: `pread` and `pwrite` do what `read`
/// and `write` do.
#[test]
fn reading_and_writing_at_a_position() {
    let _module = CONTRACT.load();
    let file = open();
    expect_eq(
        "pwrite of the capacity at 9",
        expect_ok("pwrite", file.write_at(&[2], 9)),
        1,
    );
    expect_eq(
        "pwrite at 1000",
        expect_ok("pwrite", file.write_at(&6i32.to_ne_bytes(), 1000)),
        4,
    );
    push(&file, 8);
    let mut bytes = [0; 4];
    expect_eq(
        "pread at 77",
        expect_ok("pread", file.read_at(&mut bytes, 77)),
        4,
    );
    expect_eq("what it gave", i32::from_ne_bytes(bytes), 6);
    expect_eq("all that is left", take_all(&file), [8]);
}

/// When the file's name is taken the load fails, and the other's file stays.
#[test]
fn a_name_that_is_taken() {
    let file = Served::written(&CONTRACT, path());
    files::taken_name(&file, "full_ex", "kt_same_file");
}

/// `modinfo` shows license, author, description and version.
#[test]
fn modinfo_tells_who_and_what() {
    expect_modinfo("full_ex", &[]);
}
