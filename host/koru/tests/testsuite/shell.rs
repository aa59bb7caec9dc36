// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru shell`: the shell in the virtual machine.

use crate::common::{Run, Vm};

fn shell(vm: &Vm, script: &str) -> Run {
    vm.koru(&["shell"]).input(script.as_bytes()).run_and_leave()
}

#[test]
fn shell_works_with_and_without_a_terminal() {
    let vm = Vm::new();
    let run = shell(
        &vm,
        "load full_ex; list
         load sample_hello whom=you
         help; help full_ex
         deque_client 5 push 1 pop
         unload full_ex; unload sample_hello
         load nosuch || echo 'not loaded'
         exit 3\n",
    );
    run.exits(3)
        .prints("full_ex")
        .prints("NAME\n")
        .prints("circbuf elevator full_ex")
        .prints("deque_client empty fuzzer ioshell part1")
        .prints("# full_ex")
        .prints("you")
        .prints("not loaded");
    // A second shell finds the guest as the first one left it.
    shell(&vm, "load hello\nlog | tail -n 1\n")
        .exits(0)
        .prints("Hello world");
    // `script` gives the shell a terminal. The test waits for text that it does not type, because
    // the terminal shows typed text as well.
    let mut run = vm.koru(&["shell"]).on_terminal();
    run.wait_for_output("leaves.");
    run.type_in("echo $((6 * 7)); sleep 1000\n");
    run.wait_for_output("42");
    run.type_in("\x1d");
    let run = run.end_and_leave();
    assert!(run.status.success(), "{run}");
    // The shell ended its `sleep` with it.
    let is_gone = "n=0; while ps | grep 'sleep 100[0]'; do n=$((n + 1)); [ $n -lt 100 ] || exit 1; \
                   sleep 0.1; done";
    vm.run(&["exec", "sh", "-c", is_gone]).exits(0);
}
