// SPDX-License-Identifier: MIT OR Apache-2.0

//! Whose deque it is: threads, children, and processes that got a descriptor.

use std::{
    fs::{File, OpenOptions},
    io::Read,
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::CommandExt},
    },
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use koru_tests::{
    Child, expect_eq, expect_errno, expect_ok, fork_with_id, in_child, read_by_worker,
    send_in_flight, sync_with_parent, write_by_worker,
};

use crate::{
    CONTRACT, deque, error, largest, model, open, path, push, push_all, set_capacity, take,
    take_all, try_open, try_push, try_take, write,
};

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
