// SPDX-License-Identifier: MIT OR Apache-2.0

//! A run that waits says where, and ends at its limit only.

use super::{at, common::KERNELS, common::koru, module};

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
    for (place, how) in [("read", "second time"), ("queue", "never */")] {
        let line = at("waits", how);
        for kernel in KERNELS {
            let place = format!("where={place}");
            let arguments = [
                "-p",
                &place,
                "--limit",
                "8",
                "--",
                "sh",
                "-c",
                "cat /proc/waits",
            ];
            let run = module("waits", kernel)
                .koru(&arguments)
                .env("KORU_HANG_SECS", "3")
                .run();
            run.exits(1)
                .says("koru: not done after 3 s: sh (cat, process ")
                .says(&format!(" ({line})"))
                .says("error: running waits: not done after 8 s; sh (cat, process ");
        }
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
