// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru debug`: runs gdb from the module's init on, without a terminal.

use std::fs;

use rustix::process::Signal;

use crate::common::{KERNELS, koru, line_of};

const SOURCE: &str = "modules/hello/src/lib.rs";

#[test]
fn gdb_stops_at_init_with_source_and_variables() {
    for kernel in KERNELS {
        let run = koru(
            ["debug", "hello", "--kernel", kernel, "--quiet", "--batch"]
                .into_iter()
                .chain([
                    "--ex",
                    "bt",
                    "--ex",
                    "break hello::{impl#0}::init",
                    "--ex",
                    "c",
                    "--ex",
                    "bt",
                    // A guest that is not stopped may not be silent for that long.
                    "--ex",
                    "shell sleep 3",
                    // Once in many runs a step of QEMU 7.2 does not advance, and gdb stops here
                    // again.
                    "--ex",
                    "delete",
                    "--ex",
                    "c",
                ]),
        )
        .env("KORU_HANG_SECS", "1")
        .run();
        let macro_line = line_of(SOURCE, "type: Hello,");
        let log_line = line_of(SOURCE, "Hello world");
        run.exits(0)
            .prints(&format!(
                "#0  hello::_::init_module () at {SOURCE}:{macro_line}\n"
            ))
            .prints("in do_one_initcall ()\n")
            // There is one place only: functions that were not linked have no debug info here.
            .prints("Breakpoint 1 at 0x")
            .prints(&format!(
                "hello::{{impl#0}}::init (_module=<optimized out>) at {SOURCE}:{log_line}\n"
            ))
            .prints("pr_info!(\"Hello world\\n\");\n")
            .says("hello: Hello world\n")
            .says("hello: Goodbye world\n");
    }
}

#[test]
#[ignore = "takes long"]
fn gdb_commands_and_exit_status_are_passed_on() {
    let away = tempfile::tempdir().expect("a folder");
    let commands = away.path().join("my.gdb");
    fs::write(&commands, "info symbol $pc\nc\n").unwrap();
    let commands = commands.display().to_string();
    koru(
        [
            "debug",
            "kt_params",
            "--kernel",
            "6.12",
            "-x",
            &commands,
            "--batch",
        ]
        .into_iter()
        .chain(["-p", "a_u8=7", "--", "sh", "-c", "echo out; exit 5"]),
    )
    .run()
    .exits(5)
    .prints("init_module in section .text")
    .prints("out\n")
    .says("kt_params: a_u8=7\n");
    // The first module is refused before its init, the second one by its init.
    koru(["debug", "kt_params", "-p", "a_u8=300", "--batch"])
        .run()
        .exits(1)
        .says("error: loading kt_params: Numerical result out of range (errno 34)");
    koru(["debug", "kt_fault_init", "--ex", "c", "--batch"])
        .run()
        .exits(1)
        .says("error: loading kt_fault_init: No such device (errno 19)");
    koru(["debug", "zzzzzz"]).run().exits(2).says("there are: ");
    koru(["debug", "--help"])
        .run()
        .exits(0)
        .prints("koru debug hello");
}

#[test]
fn ctrl_c_leaves_nothing_running() {
    let away = tempfile::tempdir().expect("a folder");
    let mut run = koru(
        ["debug", "hello", "--kernel", "6.1", "--batch"]
            .into_iter()
            .chain([
                "--ex",
                "c",
                "--ex",
                "info registers rip",
                "--",
                "sh",
                "-c",
                "echo ready; sleep 1000",
            ]),
    )
    .env("TMPDIR", away.path())
    .start();
    run.wait_for_output("ready\n");
    run.signal_all(Signal::INT);
    run.end()
        .exits(0)
        .prints("received signal SIGINT")
        .prints("rip ");
    assert_eq!(fs::read_dir(away.path()).unwrap().count(), 0);
}
