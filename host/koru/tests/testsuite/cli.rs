// SPDX-License-Identifier: MIT OR Apache-2.0

//! The command line, as a user meets it.

use std::{fs, path::Path};

use rustix::process::Signal;

use crate::common::{self, Vm, koru};

#[test]
fn unknown_module_gets_a_suggestion() {
    koru(["build", "helo"])
        .run()
        .exits(2)
        .says("error: looking for the module `helo`: there is none of this name")
        .says("did you mean hello");
    koru(["run", "zzzzzz"]).run().exits(2).says("there are: ");
    koru(["run", "nothing.ko"])
        .run()
        .exits(2)
        .says("there is no such file");
}

#[test]
fn unknown_kernel_is_an_error() {
    let list = koru(["kernel", "list", "--json"]).run().json();
    let releases: Vec<&str> = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|k| k["release"].as_str().expect("a release"))
        .collect();
    let newest = releases.last().expect("a kernel");
    let wrong = format!("{newest}x");
    koru(["build", "hello", "--kernel", &wrong])
        .run()
        .exits(2)
        .says(&format!("looking for the kernel `{wrong}`"))
        .says("did you mean ")
        .says(newest)
        .says(&format!("koru kernel add {wrong}"));
    koru(["run", "hello", "--kernel", "zzz"])
        .run()
        .exits(2)
        .says(newest);
    // A beginning, but not up to a dot or dash.
    koru(["build", "hello", "--kernel", "6.1x"]).run().exits(2);
    koru(["build", "hello", "--kdir", "/nowhere"])
        .run()
        .exits(2)
        .says("/nowhere: No such file or directory");
    koru(["build", "hello", "--kdir", "/"])
        .run()
        .exits(2)
        .says("it has no Makefile");
}

#[test]
fn wrong_usage_exits_with_2() {
    for (arguments, said) in [
        (&["bulid"][..], "build"),
        (&["build", "--nothing"], "--nothing"),
        (&["run", "hello", "--cpus", "0"], "0 is not in 1..=64"),
        (
            &["new", "x", "--template", "nothing"],
            "hello, proc, chardev",
        ),
        (&["vm"], "start"),
        (&["exec"], "COMMAND"),
        (
            &["build", "--kernel", "6.1", "--kdir", "/"],
            "cannot be used with",
        ),
    ] {
        koru(arguments).run().exits(2).says(said);
    }
}

#[test]
fn help_of_every_command_has_examples() {
    koru(["--help"]).run().exits(0).prints("Examples:");
    for command in [
        "test",
        "new",
        "build",
        "run",
        "watch",
        "debug",
        "load",
        "log",
        "exec",
        "kernel",
        "completions",
        "env",
    ] {
        let run = koru([command, "--help"]).run();
        run.exits(0)
            .prints("Examples:")
            .prints(&format!("koru {command}"));
    }
    for shell in ["bash", "zsh", "fish"] {
        koru(["completions", shell]).run().exits(0).prints("koru");
    }
}

#[test]
fn wrong_parameters_are_refused() {
    for (param, said, logged) in [
        (
            "a_i32=abc",
            "Invalid argument (errno 22)",
            "`abc' invalid for parameter `a_i32'",
        ),
        (
            "a_u8=256",
            "Numerical result out of range (errno 34)",
            "`256' invalid for parameter `a_u8'",
        ),
        ("a_bool=maybe", "(errno 22)", "for parameter `a_bool'"),
        ("a_i32", "(errno 22)", "a_i32"),
    ] {
        koru(["run", "kt_params", "--kernel", "6.12", "-p", param])
            .run()
            .exits(1)
            .says("error: loading kt_params: ")
            .says(said)
            .prints(logged);
    }
    koru(["run", "kt_params", "-p"])
        .run()
        .exits(2)
        .says("KEY=VALUE");
}

#[test]
fn parameters_reach_the_module() {
    koru([
        "run",
        "kt_params",
        "--kernel",
        "6.1",
        "-p",
        "a_text=two words",
        "-p",
        "a_u8=255",
        "--",
        "cat",
        "/sys/module/kt_params/parameters/a_text",
    ])
    .run()
    .exits(0)
    .says("kt_params: a_u8=255\n")
    .prints("two words\n");
}

#[test]
fn run_passes_on_status_and_output() {
    let run = koru([
        "run",
        "my_timer",
        "--kernel",
        "6.12",
        "--",
        "sh",
        "-c",
        "cat /proc/timer; echo beside >&2; cat; exit 7",
    ])
    .input(b"what is typed")
    .run();
    run.exits(7).says("beside\n");
    let (timer, rest) = run.out.split_once('\n').expect("two lines");
    assert!(timer.starts_with("current time: "), "{run}");
    assert_eq!(
        rest, "what is typed",
        "nothing but the command's own output\n{run}"
    );
    koru(["run", "hello", "--", "sh", "-c", "kill -9 $$"])
        .run()
        .exits(137);
    koru(["run", "hello", "--", "no-such-command"])
        .run()
        .exits(1)
        .says("running `no-such-command` in the guest: there is no such command there");
    // What was said when it came and went.
    koru(["run", "hello"])
        .run()
        .exits(0)
        .prints("hello: Hello world\n")
        .prints("hello: Goodbye world\n");
}

#[test]
fn programs_and_files_are_copied_to_the_guest() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| koru(arguments).dir(folder.path()).run();
    fs::write(folder.path().join("note.txt"), "from the host\n").unwrap();
    // A static program, as all of ours are.
    let program = common::programs().join("koru");
    std::os::unix::fs::symlink(program, folder.path().join("program")).unwrap();
    let note = ["--file", "note.txt", "--", "cat", "/root/note.txt"];
    run(&[&["run", "hello"], &note[..]].concat())
        .exits(0)
        .prints("from the host\n");
    run(&["run", "hello", "--", "./program", "--version"])
        .exits(0)
        .prints("koru ");
    run(&["run", "hello", "--file", "missing", "--", "true"])
        .exits(1)
        .says("missing: No such file");
}

#[test]
fn json_has_the_results() {
    let build = koru(["build", "hello", "my_timer", "--json"]).run();
    let build = build.exits(0).json();
    let names: Vec<_> = build
        .as_array()
        .unwrap()
        .iter()
        .map(|k| &k["name"])
        .collect();
    assert_eq!(names, ["hello", "my_timer"]);
    assert!(Path::new(build[0]["path"].as_str().unwrap()).is_file());
    let arguments = ["run", "hello", "--json", "--", "sh", "-c", "exit 3"];
    let run = koru(arguments).run();
    let report = run.exits(3).json();
    assert_eq!(
        (&report["module"], &report["status"]),
        (&"hello".into(), &3.into())
    );
    let log = report["log"].as_array().unwrap();
    let of = |text: &str| log.iter().find(|r| r["text"] == text);
    assert_eq!(of("hello: Hello world").unwrap()["level"], 6);
    assert!(of("hello: Goodbye world").is_some());
    assert!(report["seconds"]["start"].as_f64().unwrap() > 0.0);
    let status = koru(["vm", "status", "--vm", "nobodys", "--json"]).run();
    assert_eq!(status.exits(1).json()["up"], false);
    let kernels = koru(["kernel", "list", "--json"]).run().json();
    assert!(
        kernels
            .as_array()
            .unwrap()
            .iter()
            .any(|k| k["default"] == true)
    );
}

#[test]
fn load_list_log_exec_unload_work_in_turn() {
    let guard = Vm::new();
    let name = guard.name();
    let vm = ["--vm", name];
    let with = |arguments: &[&str]| {
        // Options before a command's own words.
        let (first, rest) = arguments.split_at(1);
        let all = first.iter().chain(&vm).chain(rest).copied();
        let run = koru(all).run_and_leave();
        assert!(
            !run.out.contains('\x1b') && !run.err.contains('\x1b'),
            "{run}"
        );
        run
    };
    for command in [
        &["list"][..],
        &["log"],
        &["exec", "true"],
        &["unload", "hello"],
    ] {
        with(command)
            .exits(2)
            .says("it is not up")
            .says("koru vm start");
    }
    koru(["vm", "start", "--kernel", "6.1", "--vm", name])
        .run_and_leave()
        .exits(0)
        .prints("is up: Linux 6.1.");
    koru(["vm", "start", "--vm", name])
        .run_and_leave()
        .exits(2)
        .says("it is up already");
    with(&["load", "hello"])
        .exits(0)
        .prints("hello: Hello world\n");
    with(&["load", "hello"])
        .exits(1)
        .says("File exists (errno 17)")
        .says("koru unload");
    with(&["load", "my_timer", "--kernel", "6.12"])
        .exits(2)
        .says("it runs 6.1.");
    with(&["load", "my_timer"]).exits(0);
    let list = with(&["list"]);
    let lines: Vec<Vec<&str>> = list
        .out
        .lines()
        .map(|l| l.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0], ["Module", "Size", "Used", "by"], "{list}");
    for module in ["hello", "my_timer"] {
        let row = lines.iter().find(|l| l[0] == module).expect(module);
        assert!(
            row[1].parse::<u64>().unwrap() > 0 && row[2] == "0",
            "{list}"
        );
    }
    let rows = with(&["list", "--json"]).json();
    assert!(
        rows.as_array()
            .unwrap()
            .iter()
            .any(|r| r["name"] == "my_timer")
    );
    with(&["exec", "cat", "/proc/timer"])
        .exits(0)
        .prints("current time: ");
    with(&["exec", "cat", "/proc/timer"])
        .exits(0)
        .prints("elapsed time: ");
    with(&["exec", "--", "sh", "-c", "echo here >&2; exit 9"])
        .exits(9)
        .says("here\n");
    let log = with(&["log", "--grep", "hello: "]);
    log.exits(0).prints("hello: Hello world\n");
    assert!(log.out.lines().all(|l| l.contains("hello: ")), "{log}");
    let warnings = with(&["log", "--level", "warn"]);
    assert!(!warnings.exits(0).out.contains("Hello world"), "{warnings}");
    with(&["log", "--clear"]).exits(0);
    assert_eq!(with(&["log"]).exits(0).out, "");
    with(&["unload", "hello"])
        .exits(0)
        .prints("hello: Goodbye world\n");
    with(&["log"]).exits(0).prints("Goodbye world");
    with(&["unload", "hello"])
        .exits(1)
        .says("No such file or directory (errno 2)");
    with(&["exec", "--", "sh", "-c", "exec 3</proc/timer; sleep 0.1"]).exits(0);
    with(&["unload", "my_timer"]).exits(0);
    let status = koru(["vm", "status", "--vm", name, "--json"]).run_and_leave();
    assert_eq!(status.exits(0).json()["up"], true);
    koru(["vm", "stop", "--vm", name]).run_and_leave().exits(0);
    koru(["vm", "status", "--vm", name])
        .run_and_leave()
        .exits(1)
        .prints("is down");
    koru(["vm", "stop", "--vm", name]).run_and_leave().exits(0);
    koru(["vm", "status", "--vm", "not a name"])
        .run()
        .exits(2)
        .says("up to 32");
}

/// Ctrl-C in a terminal goes to all of the group; kill goes to one process. At no
/// stage may a QEMU stay.
#[test]
fn ctrl_c_leaves_nothing_running() {
    for (signal, to_all) in [
        (Signal::INT, true),
        (Signal::INT, false),
        (Signal::TERM, false),
        (Signal::KILL, false),
    ] {
        let send = |run: &common::Running| match to_all {
            true => run.signal_all(signal),
            false => run.signal(signal),
        };
        // While it boots.
        let run = koru(["run", "hello", "--kernel", "6.1", "--", "sleep", "1000"]).start();
        run.wait_for_qemu();
        send(&run);
        assert!(!run.end().status.success(), "{signal:?} while booting");
        // While a command runs.
        let arguments = ["run", "hello", "--", "sh", "-c", "echo begun; sleep 1000"];
        let mut run = koru(arguments).start();
        run.wait_for_output("begun\n");
        send(&run);
        assert!(!run.end().status.success(), "{signal:?} in a command");
    }
    // And the next one works.
    koru(["run", "hello"]).run().exits(0);
}

#[test]
fn parallel_runs_do_not_interfere() {
    let runs = [
        koru(["run", "hello", "--kernel", "6.1"]).start(),
        koru([
            "run",
            "my_timer",
            "--kernel",
            "6.12",
            "--",
            "cat",
            "/proc/timer",
        ])
        .start(),
        koru(["run", "hello", "--kernel", "6.12"]).start(),
    ];
    let [a, b, c] = runs.map(|run| run.end());
    a.exits(0).prints("Goodbye world");
    b.exits(0).prints("current time: ");
    c.exits(0).prints("Goodbye world");
}

#[test]
fn closed_stdout_ends_the_command() {
    // `koru run .. | head -1`
    let arguments = [
        "run",
        "hello",
        "--",
        "sh",
        "-c",
        "while :; do echo line; done",
    ];
    let mut run = koru(arguments).start();
    run.wait_for_output("line\n");
    run.close_output();
    assert!(!run.end().status.success());
}

#[test]
fn unchanged_module_is_not_rebuilt() {
    koru(["build", "hello"]).run().exits(0);
    let run = koru(["build", "hello", "--json"]).run();
    assert_eq!(run.exits(0).json()[0]["rebuilt"], false);
    koru(["build", "hello"])
        .run()
        .exits(0)
        .prints("(unchanged)");
}
