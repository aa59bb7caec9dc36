// SPDX-License-Identifier: MIT OR Apache-2.0

//! Why a module could not be loaded or unloaded, and what the kernel complains about.

use super::{at, common::KERNELS, common::Vm, module};

#[test]
fn errno_of_init_is_named_with_its_causes() {
    for kernel in KERNELS {
        let fails = module("fails", kernel);
        fails
            .run(&["-p", "probe=no_such_function"])
            .exits(1)
            .says("error: loading fails: No such file or directory (errno 2)\n")
            .says("init returned -ENOENT: see the log\n")
            .says("usual causes: the function of a kprobe does not exist");
        fails
            .run(&["-p", "with=-17"])
            .exits(1)
            .says("init returned -EEXIST")
            .says("usual causes: a name in /sys");
        let positive = fails.run(&["-p", "with=5"]);
        positive
            .exits(1)
            .says("the init of fails returned 5; it must return 0 or a negative errno");
        // The error says it all.
        assert!(!positive.out.contains("Call trace"), "{positive}");
    }
}

#[test]
fn warning_is_no_oops() {
    for kernel in KERNELS {
        let run = module("fails", kernel).run(&["-p", "twice=1"]);
        run.exits(1)
            .says("the kernel complained: WARNING: ")
            .says("the kernel goes on");
        assert!(!run.err.contains("oops"), "{run}");
    }
}

#[test]
#[ignore = "takes long"]
fn module_without_exit_cannot_be_unloaded() {
    for kernel in KERNELS {
        let noexit = module("noexit", kernel);
        let run = noexit.run(&[]);
        run.exits(0)
            .says("warning: left behind after unload: noexit, which has no module_exit");
        assert!(!run.err.contains("busy"), "{run}");
    }
    let vm = Vm::new();
    let noexit = module("noexit", "6.12");
    let load = ["load", "noexit.ko", "--kernel", "6.12"];
    vm.koru(&load).dir(noexit.path()).run_and_leave().exits(0);
    vm.koru(&load)
        .dir(noexit.path())
        .run_and_leave()
        .exits(1)
        .says("it is already loaded");
    vm.run(&["unload", "noexit"])
        .exits(1)
        .says("error: unloading noexit: it has no module_exit, so it cannot be unloaded\n");
}

#[test]
#[ignore = "takes long"]
fn recursion_is_folded() {
    for kernel in KERNELS {
        let run = module("recurses", kernel).run(&[]);
        let line = at("recurses", "itself");
        run.exits(1)
            .prints(&format!("    deeper  {line}  (30 times)\n"));
        assert_eq!(run.out.matches(&line).count(), 1, "{run}");
        let two = module("recurses", kernel).run(&["-p", "two=1"]);
        let lines = ["through even", "through odd"].map(|text| at("recurses", text));
        let folded = format!(
            "    even  {}\n        here += odd(depth - 1, &here); /* through odd */\n",
            lines[1]
        );
        two.exits(1).prints(&folded).prints(" times)\n");
        for line in lines {
            assert!(two.out.matches(&line).count() <= 2, "{two}");
        }
    }
}
