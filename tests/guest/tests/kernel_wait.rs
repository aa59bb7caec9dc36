// SPDX-License-Identifier: MIT OR Apache-2.0

//! Condition variables, completions and atomics, on the module `kt_wait`.

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::unix::{fs::FileExt, process::ExitStatusExt},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use koru_testing::{Log, Module};
use rustix::{
    process::{Pid, setpriority_process},
    thread::{CpuSet, sched_setaffinity},
};

const FILE: &str = "/proc/kt_wait";

fn load() -> Module {
    Module::load("kt_wait", &[]).unwrap()
}

fn give(n: u8) {
    let mut file = File::options().write(true).open(FILE).unwrap();
    assert_eq!(file.write(&[n]).unwrap(), 1);
}

/// Waits, without a limit of its own, until the module says so.
fn until(state: &str) {
    while fs::read_to_string("/proc/kt_wait_state").unwrap() != format!("{state}\n") {
        thread::yield_now();
    }
}

fn take(at: u64) -> String {
    let mut buffer = [0; 16];
    let n = File::open(FILE).unwrap().read_at(&mut buffer, at).unwrap();
    String::from_utf8(buffer[..n].to_vec()).unwrap()
}

#[test]
fn atomics_completions_and_locked_by() {
    let log = Log::from_now();
    let _module = load();
    assert_eq!(log.messages("kt_wait: "), ["all is right"]);
}

#[test]
fn one_notification_wakes_one() {
    let _module = load();
    thread::scope(|s| {
        let threads: Vec<_> = (0..8).map(|_| s.spawn(|| take(0))).collect();
        until("tokens 0 waiting 8");
        for left in (5..8).rev() {
            give(1);
            until(&format!("tokens 0 waiting {left}"));
        }
        give(0);
        until("tokens 0 waiting 4");
        give(4);
        for thread in threads {
            assert_eq!(thread.join().unwrap(), "token\n");
        }
    });
    until("tokens 0 waiting 0");
}

#[test]
fn no_notification_is_missed() {
    const TURNS: usize = 400;
    let _module = load();
    thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| (0..TURNS).for_each(|_| assert_eq!(take(0), "token\n")));
        }
        for _ in 0..2 {
            s.spawn(|| (0..TURNS).for_each(|i| give((i % 2) as u8)));
        }
        s.spawn(|| (0..TURNS).for_each(|_| give(2)));
    });
    until("tokens 0 waiting 0");
}

#[test]
fn time_limits() {
    let _module = load();
    assert_eq!(take(3), "too late\n");
    give(1);
    assert_eq!(take(3), "in time\n");
    thread::scope(|s| {
        let waiter = s.spawn(|| take(1 << 40));
        until("tokens 0 waiting 1");
        give(1);
        assert_eq!(waiter.join().unwrap(), "in time\n");
    });
}

#[test]
fn a_signal_ends_the_wait() {
    let _module = load();
    let mut child = Command::new("cat")
        .arg(FILE)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    until("tokens 0 waiting 1");
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    until("tokens 0 waiting 0");
    let mut said = String::new();
    child.stdout.unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
}

/// A process that takes one token, and runs when nobody else wants to.
fn taker() -> Child {
    let child = Command::new("head")
        .args(["-c", "6", FILE])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    setpriority_process(Some(Pid::from_child(&child)), 19).unwrap();
    child
}

/// A waiter that is chosen, and then gets a signal before it runs: either it takes the
/// token all the same, or the next one does. It never lies there with somebody waiting.
#[test]
fn no_notification_is_lost_to_a_signal() {
    const TURNS: usize = 40;
    let _module = load();
    // All on one CPU, on which this test goes before the takers.
    let mut cpus = CpuSet::new();
    cpus.set(0);
    sched_setaffinity(None, &cpus).unwrap();
    for turn in 0..TURNS {
        let mut first = taker();
        until("tokens 0 waiting 1");
        let mut second = taker();
        until("tokens 0 waiting 2");
        give(1);
        first.kill().unwrap();
        first.wait().unwrap();
        let begun = Instant::now();
        while fs::read_to_string("/proc/kt_wait_state").unwrap() == "tokens 1 waiting 1\n" {
            let waited = begun.elapsed();
            assert!(waited < Duration::from_secs(10), "lost in turn {turn}");
            thread::sleep(Duration::from_millis(5));
        }
        if second.try_wait().unwrap().is_none() {
            give(1);
        }
        assert!(second.wait().unwrap().success());
        // What the second did not need.
        let left = fs::read_to_string("/proc/kt_wait_state").unwrap();
        if left == "tokens 1 waiting 0\n" {
            take(0);
        }
    }
    until("tokens 0 waiting 0");
}
