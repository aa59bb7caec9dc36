// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the modules bear: memory that is slow, signals, crowds, and users whose memory
//! is counted.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::Read,
    os::unix::fs::FileExt,
    path::Path,
};

use koru_testing::{Module, skip};
use koru_tests::{
    Errno, MemoryGroups, SlowMemory, cat, exists, expect_eq, expect_errno, expect_ok,
    fail_requirement,
};
use rustix::{
    process::Pid,
    thread::{CpuSet, sched_setaffinity},
};

koru_testing::test_file!(one_cpu);

/// A reader whose memory is slow, so that others' readings always come before its own,
/// is ended by a signal.
#[koru_testing::all_cpus]
#[test]
fn a_signal_ends_a_read_of_the_timer() {
    let _module = expect_ok("insmod", Module::load("my_timer", &[]));
    let file = expect_ok("open", File::open("/proc/timer"));
    let memory = SlowMemory::new();
    let read = || memory.pread(&file, SlowMemory::START, 1000, 0);
    let read = memory.starve(20, read, || drop(cat("/proc/timer")));
    let done = "a read that others come before, and a signal";
    match read {
        Some(read) => expect_errno(done, read, Errno::EINTR),
        None => fail_requirement(done, "EINTR", "it goes on"),
    }
}

/// Which of the kernel's preemption models it runs by; what it was comes back.
struct Preemption(String);

impl Preemption {
    const FILE: &str = "/sys/kernel/debug/sched/preempt";

    fn set(model: &str) -> Preemption {
        if !exists(Preemption::FILE) {
            skip("this kernel's preemption model is built in");
        }
        let all = expect_ok(Preemption::FILE, fs::read_to_string(Preemption::FILE));
        let now = all.split(['(', ')']).nth(1).expect("one in parentheses");
        let before = Preemption(now.to_owned());
        // Kernels that have given it up are as patient when they are lazy.
        let model = if all.contains(model) { model } else { "lazy" };
        expect_ok(model, fs::write(Preemption::FILE, model));
        before
    }
}

impl Drop for Preemption {
    fn drop(&mut self) {
        let _ = fs::write(Preemption::FILE, &self.0);
    }
}

fn kernel_thread(name: &str) -> Pid {
    let processes = expect_ok("/proc", fs::read_dir("/proc")).flatten();
    let is_it = |path: &Path| {
        let comm = fs::read_to_string(path.join("comm"));
        comm.is_ok_and(|c| c.trim_end() == name)
    };
    let mut paths = processes.map(|p| p.path()).filter(|p| is_it(p));
    let path = paths.next().expect("the thread");
    let id = path.file_name().and_then(|n| n.to_str()?.parse().ok());
    id.and_then(Pid::from_raw).expect("a process id")
}

/// Without a wait for floors and doors the elevator's thread still lets others run,
/// when there is one processor, and the kernel takes it from nobody.
#[test]
fn an_elevator_that_never_waits_lets_others_run() {
    const PEOPLE: usize = 10_000;
    let _preemption = Preemption::set("none");
    let _module = expect_ok(
        "insmod",
        Module::load("elevator", &["floor_ms=0", "load_ms=0"]),
    );
    let mut one = CpuSet::new();
    one.set(0);
    // Its thread, and this one.
    for thread in [Some(kernel_thread("elevator")), None] {
        let pinned = sched_setaffinity(thread, &one);
        expect_ok("sched_setaffinity", pinned.map_err(Into::into));
    }
    let file = expect_ok(
        "open",
        OpenOptions::new()
            .read(true)
            .write(true)
            .open("/proc/elevator"),
    );
    for i in 0..PEOPLE {
        let call = if i % 2 == 0 { "1 6 V" } else { "6 1 V" };
        expect_ok("write", file.write_at(call.as_bytes(), 0));
    }
    expect_ok("write", file.write_at(b"start", 0));
    let mut seen = HashSet::new();
    let mut text = vec![0; 1 << 16];
    loop {
        let n = expect_ok("pread", file.read_at(&mut text, 0));
        let text = String::from_utf8_lossy(&text[..n]);
        let served = text.trim_end().rsplit(' ').next().expect("a number");
        let served: usize = served.parse().expect("a number");
        seen.insert(served);
        if served == PEOPLE {
            break;
        }
    }
    seen.retain(|served| (1..PEOPLE).contains(served));
    expect_eq("somebody looks while it serves", seen.is_empty(), false);
}

/// How many bytes are counted as a process's for one open file of which it has read a
/// byte.
fn per_file(groups: &MemoryGroups, path: &str) -> i64 {
    const FILES: usize = 8192;
    let bytes = groups.alone(|group| {
        let mut files = Vec::with_capacity(FILES);
        let before = group.bytes("memory.current");
        for _ in 0..FILES {
            let mut file = File::open(path).expect(path);
            let _ = file.read(&mut [0; 1]).expect(path);
            files.push(file);
        }
        group.bytes("memory.current") - before
    });
    bytes / FILES as i64
}

/// What a module remembers for each open file is counted as the opener's memory:
/// everybody may open these files, as often as he likes.
#[test]
fn open_files_are_counted() {
    let load = |name| expect_ok(name, Module::load(name, &[]));
    let groups = MemoryGroups::mount();
    // It remembers nothing. What the kernel has for each open file is counted too.
    let _module = load("minimal_proc_lkm");
    let nothing = per_file(&groups, "/proc/minimal_proc_lkm");
    for (module, path, least) in [
        ("hello_proc", "/proc/hello", 100),
        ("jiffies", "/proc/jiffies", 48),
        ("seconds", "/proc/seconds", 48),
        ("my_timer", "/proc/timer", 96),
        ("elevator", "/proc/elevator", 200),
    ] {
        let _module = load(module);
        let counted = per_file(&groups, path) - nothing;
        if counted < least {
            let promised = format!("at least {least} bytes are counted");
            fail_requirement(&format!("opening {path}"), &promised, &counted.to_string());
        }
    }
}

/// The buffer of a write is counted as well. A read needs none.
#[test]
fn buffers_are_counted() {
    const SIZE: usize = 1 << 20;
    let _module = expect_ok("insmod", Module::load("circbuf", &["size=1048576"]));
    let groups = MemoryGroups::mount();
    groups.need("memory.peak");
    let counted = groups.alone(|group| {
        let open = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/circbuf");
        let file = open.expect("open");
        let bytes = vec![1; SIZE];
        let before = group.bytes("memory.peak");
        assert_eq!(file.write_at(&bytes, 0).expect("a write"), SIZE);
        group.bytes("memory.peak") - before
    });
    expect_eq("half a MiB and more is counted", counted > 1 << 19, true);
}
