// SPDX-License-Identifier: MIT OR Apache-2.0

//! A run that waits says where, and ends at its limit only.
//!
//! These tests keep a processor busy until koru has seen enough, so most of them use one kernel.

use super::{
    at,
    common::{CModule, KERNELS, Run, Vm, koru},
    module,
};

/// The kernel leaves `mutex_lock` out of the stacks of waiting tasks, and a call returns to the
/// line after it.
#[test]
fn mutex_that_is_taken_twice_is_named() {
    let place = format!(
        "take_again ({}), which called mutex_lock",
        at("waits", "second time")
    );
    for kernel in KERNELS {
        let run = module("waits", kernel)
            .koru(&["--limit", "8"])
            .env("KORU_HANG_SECS", "3")
            .run();
        run.exits(1)
            .says(&format!(
                "koru: not done after 3 s: load waits waits in {place}\n"
            ))
            .says(&format!(
                "error: running waits: not done after 8 s; load waits waits in {place}\n"
            ))
            .says("--limit");
    }
}

#[test]
fn read_that_never_ends_is_named() {
    let places = [("read", "second time"), ("queue", "never */")];
    for ((place, how), kernel) in places.into_iter().zip(KERNELS) {
        let line = at("waits", how);
        let place = format!("where={place}");
        let arguments = [
            "-p",
            &place,
            "--limit",
            "15",
            "--",
            "sh",
            "-c",
            "cat /proc/waits",
        ];
        // A machine that is busy with other tests takes seconds to answer.
        let run = module("waits", kernel)
            .koru(&arguments)
            .env("KORU_HANG_SECS", "8")
            .run();
        run.exits(1)
            .says("koru: not done after 8 s: sh (cat, process ")
            .says(&format!(" ({line})"))
            .says("error: running waits: not done after 15 s; sh (cat, process ");
    }
}

/// A command that is in no module's code takes as long as it takes.
#[test]
fn command_may_take_its_time() {
    let run = koru(["run", "hello", "--", "sleep", "6"])
        .env("KORU_HANG_SECS", "2")
        .run();
    run.exits(0);
    assert!(!run.err.contains("not done"), "{run}");
}

/// Runs a command that calls a file of the module again and again, and is hardly ever seen in
/// the module's code. Returns what koru says.
#[track_caller]
fn endless(kernel: &'static str, command: &[&str]) -> Run {
    let run = module("endless", kernel)
        .koru(&[&["--limit", "16", "--"], command].concat())
        .run();
    run.exits(1)
        .says("koru: not done after 10 s: ")
        .says("error: running endless: not done after 16 s; ");
    run
}

/// The numbers are different each time.
#[track_caller]
fn says_twice(run: &Run, texts: [&str; 2]) {
    let lines = run.err.lines();
    let lines = lines.filter(|line| texts.iter().all(|text| line.contains(text)));
    assert_eq!(lines.count(), 2, "{run}");
}

#[test]
#[ignore = "takes long"]
fn read_without_an_end_is_named() {
    let [one, other] = KERNELS;
    let run = endless(one, &["cat", "/proc/endless"]);
    let end = "B so far; at the end of the file, same_read (endless.c:";
    says_twice(&run, [") keeps reading /proc/endless: ", end]);
    run.says(": cat (process ").says(") must return 0");
    // This one moves the position.
    let run = endless(other, &["sh", "-c", "cat /dev/endless >/dev/null; :"]);
    let end = "B so far; at the end of the file, next_read (endless.c:";
    says_twice(&run, [") keeps reading /dev/endless: ", end]);
    run.says(": sh (cat, process ");
}

#[test]
#[ignore = "takes long"]
fn write_that_takes_nothing_is_named() {
    let run = endless(KERNELS[1], &["sh", "-c", "echo hello >/proc/endless"]);
    let taken = "must return the number of bytes that it has taken";
    says_twice(&run, [") keeps writing to /proc/endless: ", taken]);
    run.says(" calls so far, without a byte; none_write (endless.c:");
}

/// A command that has the file open, but reads others or computes, takes as long as it takes.
#[test]
#[ignore = "takes long"]
fn file_that_is_only_open_is_not_named() {
    let idle = "exec 3</proc/endless; timeout 9 dd if=/dev/zero of=/dev/null bs=1024; \
                timeout 9 sh -c 'while :; do :; done'; true";
    let run = module("endless", KERNELS[0])
        .koru(&["--", "sh", "-c", idle])
        .env("KORU_HANG_SECS", "6")
        .run();
    run.exits(0);
    assert!(!run.err.contains("not done"), "{run}");
}

/// The process that owns the machine passes the looks on.
#[test]
#[ignore = "takes long"]
fn waits_on_a_machine_that_stays_up_are_named() {
    for kernel in KERNELS {
        let vm = Vm::new();
        vm.run(&["vm", "start", "--kernel", kernel]).exits(0);
        let [waits, endless] = ["waits", "endless"].map(|name| module(name, kernel));
        let koru = |module: &CModule, arguments: &[&str]| {
            let koru = vm.koru(arguments).dir(module.path());
            koru.env("KORU_HANG_SECS", "8")
        };
        let load = ["load", "waits.ko", "-p", "where=queue"];
        koru(&waits, &load).run_and_leave().exits(0);
        let cat = ["exec", "timeout", "-s", "KILL", "20", "cat", "/proc/waits"];
        koru(&waits, &cat)
            .run_and_leave()
            .says("koru: not done after 8 s: timeout (cat, process ")
            .says(&format!(" ({})", at("waits", "never */")));
        koru(&waits, &["unload", "waits"]).run_and_leave().exits(0);

        let load = ["load", "endless.ko"];
        koru(&endless, &load).run_and_leave().exits(0);
        let cat = "timeout -s KILL 25 cat /proc/endless >/dev/null";
        let run = koru(&endless, &["exec", "sh", "-c", cat]).run_and_leave();
        run.says(") keeps reading /proc/endless: ")
            .says("at the end of the file, same_read (endless.c:");
    }
}
