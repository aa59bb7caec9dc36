// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is removed while it is in use, and dropped in unusual places, on the module
//! `kt_remove`.

use std::{
    fs::{self, File},
    io::{Read, Write},
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use koru_testing::{Log, Module, is_loaded, kernel_may_say};
use koru_tests::{
    Errno::{self, EIO, ENOENT},
    errno,
};

const FILE: &str = "/proc/kt_remove";
const SHOW: &str = "/proc/kt_remove_show";
const EXTRA: &str = "/proc/kt_remove_extra";
const CONTROL: &str = "/proc/kt_remove_control";

/// Not a time that anything takes here: only what never ends takes that long.
const LIMIT: Duration = Duration::from_secs(60);

/// Loads it, and leaves it to `rmmod`.
fn load(params: &[&str]) -> Log {
    let log = Log::from_now();
    std::mem::forget(Module::load("kt_remove", params).unwrap());
    log
}

fn start(program: &str, args: &[&str]) -> Child {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Whether this comes about before the limit.
fn comes(mut about: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    loop {
        if about() {
            return true;
        }
        if begin.elapsed() > LIMIT {
            return false;
        }
        sleep(Duration::from_millis(20));
    }
}

/// Waits until so many wait at the file and at the printed one, and which of them are
/// being removed.
fn until(state: &str) {
    let mut control = String::new();
    let reached = comes(|| {
        control = fs::read_to_string(CONTROL).unwrap();
        control.trim_end() == state
    });
    assert!(reached, "{control}");
}

fn command(text: &str) {
    let mut control = File::options().write(true).open(CONTROL).unwrap();
    control.write_all(text.as_bytes()).unwrap();
}

/// The end of a process, which must come by itself.
fn end(mut process: Child, others: &mut [Child]) -> Output {
    let ended = comes(|| process.try_wait().unwrap().is_some());
    if !ended {
        for other in others {
            other.kill().unwrap();
        }
    }
    assert!(ended, "it hangs: {}", stack(&process));
    process.wait_with_output().unwrap()
}

fn stack(process: &Child) -> String {
    fs::read_to_string(format!("/proc/{}/stack", process.id())).unwrap_or_default()
}

fn state(process: &Child) -> char {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    rest.chars().next().unwrap()
}

/// What the module says of a removal that does not end.
fn overdue(log: &Log) -> String {
    let mut said = Vec::new();
    comes(|| {
        said = log.messages("rust_kernel: kt_remove ");
        !said.is_empty()
    });
    assert_eq!(said.len(), 1, "{said:?}");
    said.remove(0)
}

/// Processes that read wait; an unload sends them away with an error.
fn sends_away(file: &str, readers: usize, waiting: &str) {
    let log = load(&[]);
    let mut readers: Vec<Child> = (0..readers).map(|_| start("cat", &[file])).collect();
    until(waiting);
    let rmmod = end(start("rmmod", &["kt_remove"]), &mut readers);
    assert!(rmmod.status.success(), "{rmmod:?}");
    assert!(!is_loaded("kt_remove"));
    for reader in readers {
        let output = end(reader, &mut []);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("Input/output error"), "{said}");
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stdout, b"");
    }
    assert_eq!(log.messages("rust_kernel: "), [""; 0]);
}

#[test]
fn a_process_that_reads_is_sent_away() {
    sends_away(FILE, 1, "1 0 false false");
}

#[test]
fn twenty_processes_that_read_are_sent_away() {
    sends_away(FILE, 20, "20 0 false false");
}

#[test]
fn a_process_that_has_text_printed_is_sent_away() {
    sends_away(SHOW, 1, "0 1 false false");
}

#[test]
fn twenty_processes_that_have_text_printed_are_sent_away() {
    sends_away(SHOW, 20, "0 20 false false");
}

/// Nothing is removed: it works as it should.
#[test]
fn a_process_that_waits_gets_its_token() {
    load(&[]);
    let readers = [FILE, SHOW].map(|file| start("cat", &[file]));
    until("1 1 false false");
    command("give");
    for reader in readers {
        assert_eq!(end(reader, &mut []).stdout, b"token\n");
    }
    koru_testing::unload("kt_remove").unwrap();
}

/// A descriptor that is there, and one that is made meanwhile.
#[test]
fn who_comes_in_a_process_that_removes_is_sent_away() {
    load(&["linger_ms=2000"]);
    let mut there = File::open(FILE).unwrap();
    let mut reader = [start("cat", &[FILE])];
    until("1 0 false false");
    let rmmod = start("rmmod", &["kt_remove"]);
    until("0 0 true false");
    let byte = &mut [0];
    // Still by the module: a file that is removed cannot be opened.
    let mut new = File::open(FILE).unwrap();
    assert_eq!(errno(there.read(byte)), EIO);
    assert_eq!(errno(new.read(byte)), EIO);
    assert!(end(rmmod, &mut reader).status.success());
    assert_eq!(errno(there.read(byte)), EIO);
    assert_eq!(errno(new.read(byte)), EIO);
    let [reader] = reader;
    end(reader, &mut []);
}

/// Who does not listen keeps the unload waiting, which says so.
#[test]
fn a_process_that_is_not_sent_away() {
    let log = load(&["deaf=1"]);
    let mut reader = start("cat", &[FILE]);
    until("1 0 false false");
    let mut rmmod = start("rmmod", &["kt_remove"]);
    let said = overdue(&log);
    let who = format!("/proc/kt_remove: process {} (rmmod) ", rmmod.id());
    assert!(
        said.starts_with(&format!("still waits for the end of all calls of {who}")),
        "{said}"
    );
    rmmod.kill().unwrap();
    assert_eq!(state(&rmmod), 'D');
    assert!(stack(&reader).contains("[kt_remove]"), "{}", stack(&reader));
    reader.kill().unwrap();
    assert!(comes(|| !is_loaded("kt_remove")));
    rmmod.wait().unwrap();
    reader.wait().unwrap();
}

#[test]
fn files_are_dropped_in_the_call_of_another_by_a_process() {
    drops("drop");
}

#[test]
fn files_are_dropped_by_a_kernel_thread() {
    drops("thread");
}

fn drops(how: &str) {
    let log = load(&[]);
    command("file");
    command("device");
    let open = File::open(EXTRA).unwrap();
    command(how);
    let said = ["the extra file is being removed", "dropped: true"];
    assert_eq!(log.messages("kt_remove: "), said);
    for gone in [EXTRA, "/dev/kt_remove"] {
        assert_eq!(errno(File::open(gone)), ENOENT);
    }
    command("show");
    command(how);
    assert_eq!(errno(File::open(EXTRA)), ENOENT);
    // Nothing was left that would keep it.
    drop(open);
    koru_testing::unload("kt_remove").unwrap();
    assert_eq!(log.messages("rust_kernel: "), [""; 0]);
}

/// A call that waits for its own end: it hangs, says so, and nothing else suffers.
fn hangs_in_its_own_call(kind: &str, process: impl FnOnce() -> Child) {
    let log = load(&[]);
    command(kind);
    let mut process = process();
    let said = overdue(&log);
    let who = format!("/proc/kt_remove_extra: process {} (", process.id());
    assert!(said.contains(&who), "{said}");
    assert!(said.contains("a call drops its own file"), "{said}");
    process.kill().unwrap();
    assert_eq!(state(&process), 'D');
    // The module and all else go on.
    until("0 0 false false");
    Module::load("hello", &[]).unwrap().unload().unwrap();
    std::mem::forget(process);
}

#[test]
fn a_write_that_drops_its_own_file_in_a_process() {
    hangs_in_its_own_call("file", || {
        start("sh", &["-c", &format!("echo x > {EXTRA}")])
    });
}

#[test]
fn a_show_that_drops_its_own_file_in_a_process() {
    // Not to a pipe: it would hang with its lock.
    hangs_in_its_own_call("show", || {
        start("sh", &["-c", &format!("exec cat {EXTRA} > /dev/null")])
    });
}

/// Its device's class is locked for ever, but for nothing else.
#[test]
fn an_open_that_drops_its_own_device_in_a_process() {
    kernel_may_say("kt_remove must stay in memory");
    let log = load(&[]);
    command("device");
    let mut opener = start("cat", &["/dev/kt_remove"]);
    let mut said = Vec::new();
    comes(|| {
        said = log.messages("rust_kernel: kt_remove ");
        !said.is_empty()
    });
    let expected = format!(
        "must stay in memory: process {} drops a misc device in the open of one, and would wait \
         for its own end. It never returns.",
        opener.id()
    );
    assert_eq!(said, [expected]);
    opener.kill().unwrap();
    assert!(comes(|| state(&opener) == 'I'));
    // Of what the device's call uses.
    assert_eq!(errno(koru_testing::unload("kt_remove")), Errno::EWOULDBLOCK);
    Module::load("hello", &[]).unwrap().unload().unwrap();
    std::mem::forget(opener);
}

/// What a kernel with lockdep says of a process that leaked a guard.
const LOCKDEP: &str = "lock held when returning to user space";

/// A guard that is leaked: nothing happens until somebody wants the lock.
#[test]
fn a_leaked_guard_that_no_process_waits_for() {
    kernel_may_say(LOCKDEP);
    let log = load(&[]);
    command("forget");
    koru_testing::unload("kt_remove").unwrap();
    assert_eq!(log.messages("rust_kernel: "), [""; 0]);
}

#[test]
fn a_leaked_guard_that_a_process_waits_for() {
    kernel_may_say(LOCKDEP);
    let log = load(&[]);
    command("forget");
    let script = format!("echo lock > {CONTROL}");
    let waiter = start("sh", &["-c", &script]);
    assert!(comes(|| state(&waiter) == 'D'));
    let mut rmmod = start("rmmod", &["kt_remove"]);
    let said = overdue(&log);
    assert!(
        said.contains("of all calls of /proc/kt_remove_control: "),
        "{said}"
    );
    rmmod.kill().unwrap();
    assert_eq!(state(&rmmod), 'D');
    assert!(stack(&waiter).contains("[kt_remove]"), "{}", stack(&waiter));
    std::mem::forget((rmmod, waiter));
}
