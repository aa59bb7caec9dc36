// SPDX-License-Identifier: MIT OR Apache-2.0

//! An access to the memory of a module that is gone is named: the kernel prints an address only.

use super::{common::KERNELS, module};

/// The command does not end after this oops on some kernels; the run does.
#[test]
fn function_of_an_unloaded_module_is_named() {
    let script = "rmmod forgets; cat /proc/forgets; sleep 1000";
    for kernel in KERNELS {
        let run = module("forgets", kernel).run(&["--", "sh", "-c", script]);
        let was = "the function show (forgets.c:";
        run.exits(1)
            .says("] oops: call of address 0xffffffffc")
            .says(&format!(", {was}"))
            .says("\n  at forgets.c:")
            .says("error: running forgets: the kernel complained: BUG: unable to handle page fault")
            .says(&format!("; that was {was}"))
            .says(" of the unloaded module forgets\n");
        assert!(run.took.as_secs() < 100, "{run}");
    }
}

/// The panic after this oops makes the kernel print the stack again, which is not shown.
#[test]
#[ignore = "takes long"]
fn timer_of_an_unloaded_module_is_named() {
    let script = "rmmod ftimer; sleep 3";
    for kernel in KERNELS {
        let ftimer = module("ftimer", kernel);
        for (heap, was) in [
            (
                "heap=0",
                "`of_module` of the unloaded module ftimer, which has the function tick",
            ),
            ("heap=1", "the function tick"),
        ] {
            let run = ftimer.run(&["-p", heap, "--", "sh", "-c", script]);
            run.exits(1).says(&format!("; that was {was} (ftimer.c:"));
            let traces = run.err.matches("Call trace (").count();
            assert_eq!(traces, 1, "{run}");
        }
    }
}
