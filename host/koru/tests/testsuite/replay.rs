// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru run --replay`: repeats a run exactly, as often as wanted.

use crate::common::{KERNELS, Run, koru};

/// A command that prints what differs between runs that are not replayed: the clock, random
/// numbers, the time in the log, and the numbers of interrupts.
const ASK: &str = "cat /proc/timer /proc/sys/kernel/random/uuid /proc/interrupts; sleep 3; \
                   cat /proc/timer; seq 3000; dmesg | tail -n 3; echo $$ >&2; exit 3";

#[track_caller]
fn replay(module: &str, kernel: &str, seed: &str, script: &str) -> Run {
    let seed = format!("--replay={seed}");
    let arguments = [
        "run", module, "--kernel", kernel, "--quiet", "--raw", &seed, "--",
    ];
    let command = ["sh", "-c", script];
    koru(arguments.into_iter().chain(command)).run()
}

#[test]
fn replays_are_identical() {
    for kernel in KERNELS {
        let first = replay("my_timer", kernel, "5", ASK);
        first
            .exits(3)
            .prints("current time: 1767225600.")
            .prints("elapsed time: 3.")
            .says("] my_timer: ");
        for _ in 0..4 {
            let again = replay("my_timer", kernel, "5", ASK);
            assert_eq!(again.status.code(), Some(3), "{again}");
            assert_eq!(again.out, first.out, "{kernel}");
            // The kernel's log and the command's standard error each keep their order.
            let log = |run: &Run| -> (Vec<String>, Vec<String>) {
                let lines = run.err.lines().map(str::to_owned);
                lines.partition(|l| l.starts_with('['))
            };
            assert_eq!(log(&again), log(&first), "{kernel}");
        }
    }
}

#[test]
#[ignore = "takes long"]
fn seed_changes_random_numbers() {
    let uuid = "cat /proc/sys/kernel/random/uuid";
    for kernel in KERNELS {
        let of = |seed| replay("hello", kernel, seed, uuid).exits(0).out.clone();
        let (one, two) = (of("1"), of("2"));
        assert_ne!(one, two, "{kernel}");
        let without = koru(["run", "hello", "--kernel", kernel, "--replay", "--json"]);
        let log = without.run().exits(0).json()["log"].clone();
        assert!(log.to_string().contains("Hello world"), "{log}");
        assert_eq!(of("1"), one, "{kernel}");
    }
}

#[test]
fn faults_are_replayed() {
    let run = || {
        let run = koru(["run", "kt_fault_null", "--replay", "--quiet", "--raw"]).run();
        run.exits(1).says("NULL pointer dereference");
        (run.out, run.err)
    };
    assert_eq!(run(), run());
    // The command does not run when the module was refused.
    koru(["run", "kt_fault_init", "--replay", "--", "echo", "ran"])
        .run()
        .exits(1)
        .says("error: loading kt_fault_init: No such device (errno 19)\n");
}

#[test]
fn impossible_replays_are_refused() {
    koru(["run", "hello", "--replay", "--cpus", "2"])
        .run()
        .exits(2)
        .says("--replay requires a single processor");
    koru(["run", "hello", "--replay=x"])
        .run()
        .exits(2)
        .says("--replay");
    koru(["run", "hello", "--replay", "--", "nosuch"])
        .run()
        .exits(1)
        .says("error: running `nosuch` in the guest: there is no such command there");
}
