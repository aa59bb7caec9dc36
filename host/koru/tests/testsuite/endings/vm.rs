// SPDX-License-Identifier: MIT OR Apache-2.0

//! A virtual machine whose kernel has oopsed is restarted, and boots with other arguments.

use crate::common::{KERNELS, Vm, koru};

#[test]
fn vm_that_has_oopsed_is_restarted() {
    let vm = Vm::new();
    vm.run(&["load", "kt_fault_null", "--kernel", "6.1"])
        .exits(1);
    vm.run(&["load", "hello"])
        .exits(1)
        .says("its kernel has oopsed")
        .says("koru vm restart")
        .says("--fresh");
    vm.run(&["load", "hello", "--fresh"])
        .exits(0)
        .prints("Hello world");
    vm.run(&["load", "kt_fault_null"]).exits(1);
    // It is of the same kernel again.
    let restarted = vm.run(&["vm", "restart"]);
    restarted.exits(0).prints("is up: Linux 6.1");
    assert!(!restarted.out.contains("oopsed"), "{restarted}");
    vm.run(&["load", "hello"]).exits(0);
}

#[test]
#[ignore = "takes long"]
fn kernel_gets_more_arguments() {
    for kernel in KERNELS {
        let append = ["--append", "lab=7 quiet", "--append", "slub_debug=P"];
        let run = ["run", "hello", "--kernel", kernel];
        let command = ["--", "cat", "/proc/cmdline"];
        let with = koru([&run[..], &append[..], &command[..]].concat()).run();
        with.exits(0).prints(" lab=7 quiet slub_debug=P");
        let without = koru([&run[..], &command[..]].concat()).run();
        assert!(!without.out.contains("lab=7"), "{without}");
    }
    let vm = Vm::new();
    vm.run(&["vm", "start", "--append", "lab=8"]).exits(0);
    vm.run(&["exec", "cat", "/proc/cmdline"]).prints(" lab=8");
}
