// SPDX-License-Identifier: MIT OR Apache-2.0

//! What safe code can do that it should not, on the modules `misuse_core` and
//! `misuse_names`: it does no harm. (What does not compile is in `tests/misuse`.) That the kernel says nothing
//! of it meanwhile is looked after for every test.

use std::{fs, process::Command};

use koru_testing::{Log, Module, skip};

const FILE: &str = "/proc/misuse_core";

/// What the module says of it.
fn messages(what: &str) -> Vec<String> {
    let log = Log::from_now();
    let loaded = Module::load("misuse_core", &[&format!("what={what}")]);
    let messages = log.messages("misuse_core: ");
    drop(loaded.unwrap_or_else(|e| panic!("{e}: {messages:?}")));
    messages
}

#[test]
fn locks_that_are_statics_are_ready_before_anything_runs() {
    assert_eq!(messages("global_locks"), ["global locks: 2 4"]);
}

#[test]
fn of_two_owners_exactly_one_becomes_the_only_one() {
    let expected = "of 2000 values, 2000 were won and 2000 dropped";
    assert_eq!(messages("unique"), [expected]);
}

#[test]
fn a_kernel_thread_has_no_user_memory() {
    // These are linked to one address, so that some code of theirs is there whichever
    // of them ran last on a processor.
    let mut busy: Vec<_> = (0..2)
        .map(|_| {
            let mut sh = Command::new("sh");
            sh.args(["-c", "while :; do :; done"]).spawn().unwrap()
        })
        .collect();
    let messages = messages("user_memory");
    for process in &mut busy {
        process.kill().unwrap();
        process.wait().unwrap();
    }
    let expected = "user memory: read 0, copied 0, written Err(EFAULT)";
    assert_eq!(messages, [expected]);
}

#[test]
fn no_flags_make_the_kernel_complain() {
    let log = Log::from_now();
    assert_eq!(
        messages("gfp"),
        ["flags: some memory", "vmalloc with GFP_ATOMIC: false"]
    );
    let records = log.records();
    let loud: Vec<_> = records.iter().filter(|r| r.level <= 4).collect();
    assert!(
        loud.iter().all(|r| r.text.contains("misuse_core")),
        "{loud:?}"
    );
    assert!(
        !records.iter().any(|r| r.text.contains("gfp")),
        "{records:?}"
    );
}

#[test]
fn no_address_is_shown() {
    let words = fs::read_to_string("/proc/cmdline").unwrap();
    if words.contains("slub_debug=") {
        skip("a kernel that checks its slab caches shows addresses");
    }
    let messages = messages("addresses");
    let words = |line: usize| -> Vec<&str> { messages[line].split(' ').skip(1).collect() };
    let (place, local, real, ids) = (words(0), words(1), words(2), words(3));
    for shown in [&place, &local] {
        // By the kernel's own rule: the same for the same, as long as it runs.
        assert_eq!(shown[0], shown[1], "{messages:?}");
        assert_eq!(shown[0].len(), 16, "{messages:?}");
        assert!(
            !real.iter().any(|real| shown[0].ends_with(real)),
            "{messages:?}"
        );
    }
    assert_ne!(place[0], local[0], "{messages:?}");
    // Of the same process.
    assert_eq!(ids[0], ids[1], "{messages:?}");
    let id = u64::from_str_radix(ids[0], 16).unwrap();
    assert_ne!(id >> 47, 0x1ffff, "{id:x} may be an address");
    assert_eq!(messages[4], "plain a\\nb, debug [\n    \"c\",\n]");
}

#[test]
fn a_kept_task_stays_the_same() {
    let _module = Module::load("misuse_core", &["what=task"]).unwrap();
    let mut writer = Command::new("sh");
    let mut writer = writer
        .args(["-c", &format!("echo x > {FILE}")])
        .spawn()
        .unwrap();
    let pid = writer.id();
    assert!(writer.wait().unwrap().success());
    let read = || fs::read_to_string(FILE).unwrap();
    // Reaped: it has no process and no leader any more.
    let expected = format!("{pid} {pid} {pid} 0 0 false false\n");
    assert_eq!(read(), expected);
    for _ in 0..100 {
        Command::new("true").status().unwrap();
    }
    assert_eq!(read(), expected);
}

#[test]
fn a_kept_task_of_a_thread_knows_its_leader() {
    let _module = Module::load("misuse_core", &["what=task"]).unwrap();
    let me = std::process::id();
    let tid = std::thread::spawn(|| {
        fs::write(FILE, "x").unwrap();
        let tid = rustix::thread::gettid().as_raw_nonzero().get();
        let text = fs::read_to_string(FILE).unwrap();
        assert_eq!(
            text,
            format!("{tid} {me} {me} 0 0 true false\n", me = std::process::id())
        );
        tid
    });
    let tid = tid.join().unwrap();
    // It may take the kernel a moment to end a thread that is joined.
    // The process goes on, so the task still has one; but it is led by itself alone.
    let expected = format!("{tid} {me} {tid} 0 0 true false\n");
    for _ in 0..100 {
        if fs::read_to_string(FILE).unwrap() == expected {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(fs::read_to_string(FILE).unwrap(), expected);
}

#[test]
fn names_of_the_modules_own_are_not_what_the_macros_mean() {
    let log = Log::from_now();
    drop(Module::load("misuse_names", &["number=41"]).unwrap());
    let expected = ["number 41, locked 42", "dropped 41"];
    assert_eq!(log.messages("misuse_names: "), expected);
}
