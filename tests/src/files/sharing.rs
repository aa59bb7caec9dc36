// SPDX-License-Identifier: MIT OR Apache-2.0

//! Requirements on users who share a file: by a descriptor, by permissions, at once.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::{FileExt, PermissionsExt},
    process::{Command, Output, Stdio},
    thread,
};

use nix::errno::Errno;
use rustix::pipe::PipeFlags;

use super::served::{MAX_FILE_LEN, Served, as_nobody, read_all, read_once, read_rest};
use crate::{
    contract::{expect_eq, expect_errno, expect_ok},
    descriptors::{inherited_read, send_in_flight},
};

/// Requires that the position belongs to the open file: a duplicate, a child, or a process that
/// receives the descriptor continues where the last one was.
#[track_caller]
pub fn descriptors_share_a_position(file: &Served) {
    let _module = file.load();
    let mut opened = file.open();
    let mut seen = read_once(&mut opened, 1);
    let mut second = expect_ok("dup", opened.try_clone());
    seen.extend(read_once(&mut second, 1));
    drop(opened);
    seen.extend(inherited_read(&second, "dd bs=1 count=2 2>/dev/null"));
    let mut third = send_in_flight(second)();
    seen.extend(read_once(&mut third, 1));
    let rest = thread::spawn(move || read_rest(&mut third, 4096)).join();
    seen.extend(rest.expect("the thread read"));
    file.check("a dup, a child, a receiver, a thread read in turn", &seen);
}

/// Requires that the file has these permissions, and that `nobody` can read it.
#[track_caller]
pub fn everybody_reads(file: &Served, mode: i64) {
    let _module = file.load();
    let meta = expect_ok("stat", fs::metadata(file.path));
    let seen = i64::from(meta.permissions().mode() & 0o7777);
    expect_eq("the mode", format!("{seen:04o}"), format!("{mode:04o}"));
    let read = as_nobody(&format!("head -c {MAX_FILE_LEN} {}", file.path));
    expect_eq("nobody can read it", read.status.success(), true);
    file.check("what nobody reads", &read.stdout);
}

/// Requires that only root can open the file for writing, and that root cannot write either.
#[track_caller]
pub fn cannot_be_written(file: &Served) {
    let _module = file.load();
    let write = as_nobody(&format!("echo x > {}", file.path));
    expect_eq("nobody can write it", write.status.success(), false);
    let opened = OpenOptions::new().write(true).open(file.path);
    let mut opened = expect_ok("open for writing, by root", opened);
    expect_errno("write, by root", opened.write(b"x"), Errno::EIO);
    drop(opened);
    file.check("the content after a refused write", &read_all(file.path));
}

/// Runs a shell script in many processes that start at the same moment, and returns what each
/// printed.
#[track_caller]
pub fn at_once(processes: usize, script: impl Fn(usize) -> String) -> Vec<Output> {
    let (start, go) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
    let spawn = |i| {
        let script = format!("read go; {}", script(i));
        Command::new("sh")
            .args(["-c", &script])
            .stdin(start.try_clone().expect("dup"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell")
    };
    let children: Vec<_> = (0..processes).map(spawn).collect();
    drop(start);
    // All processes wait; now they start.
    drop(go);
    let outputs = children.into_iter().map(|c| c.wait_with_output());
    outputs.map(|o| o.expect("a child")).collect()
}

/// Requires that two hundred processes that read at once each get the content.
#[track_caller]
pub fn two_hundred_processes(file: &Served) {
    let _module = file.load();
    let read = format!("exec head -c {MAX_FILE_LEN} {}", file.path);
    for output in at_once(200, |_| read.clone()) {
        expect_eq("one of 200 succeeds", output.status.success(), true);
        file.check("what one of 200 reads", &output.stdout);
    }
}

/// Requires that threads which read at once, by files of their own and by a shared one, each get
/// the content.
#[track_caller]
pub fn racing_threads(file: &Served) {
    let _module = file.load();
    let shared = file.open();
    let reader = |i: usize| {
        for n in 0..100 {
            if (i + n) % 2 == 0 {
                let seen = read_rest(&mut file.open(), 1 + n % 7);
                file.check("what one of 8 threads reads in pieces", &seen);
            } else {
                let mut buffer = [0; 4096];
                let n = expect_ok("pread", shared.read_at(&mut buffer, 0));
                let seen = buffer.get(..n).unwrap_or_default();
                file.check("a pread of one of 8 threads on one descriptor", seen);
            }
        }
    };
    thread::scope(|s| {
        let threads: Vec<_> = (0..8).map(|i| s.spawn(move || reader(i))).collect();
        for thread in threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}
