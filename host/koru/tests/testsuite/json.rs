// SPDX-License-Identifier: MIT OR Apache-2.0

//! `--json` on every command, dumb terminals, and readers of the output that go away.

use std::fs;

use serde_json::Value;

use crate::common::{self, Run, koru, root};

/// Returns the error on the last line of the output.
#[track_caller]
fn error(run: &Run) -> Value {
    let last = run.out.lines().last().unwrap_or_default();
    let value: Value = serde_json::from_str(last).unwrap_or_else(|e| panic!("{e}\n{run}"));
    value["error"].clone()
}

#[test]
fn error_is_an_object() {
    let run = koru(["build", "helo", "--json"]).run();
    let found = error(run.exits(2));
    assert_eq!(found["kind"], "usage");
    assert_eq!(found["status"], 2);
    assert_eq!(found["context"], "looking for the module `helo`");
    assert_eq!(
        found["message"],
        "there is none of this name, and no such folder"
    );
    assert_eq!(found["help"], "did you mean hello or hello_proc?");
    assert_eq!(found["output"], Value::Null);
    // A wrong command line.
    for arguments in [&["build", "--jsn", "--json"][..], &["nothing", "--json"]] {
        let run = koru(arguments).run();
        let found = error(run.exits(2));
        assert_eq!(
            (&found["kind"], &found["status"]),
            (&"usage".into(), &2.into())
        );
        assert!(
            found["message"].as_str().is_some_and(|m| !m.is_empty()),
            "{run}"
        );
    }
    // What comes after `--` is the command's.
    let run = koru(["run", "nowhere", "--", "x", "--json"]).run();
    assert_eq!(run.exits(2).out, "");
}

#[test]
fn error_after_a_result_is_in_it() {
    let run = koru(["run", "hello", "--json", "--", "/no/such/program"]).run();
    let report = run.exits(1).json();
    assert_eq!(report["module"], "hello");
    assert_eq!(report["error"]["kind"], "system");
    assert_eq!(report["error"]["message"], "there is no such command there");
    assert!(
        run.err.contains("error: running `/no/such/program`"),
        "{run}"
    );
    let run = koru(["run", "hello", "--json"]).run();
    assert_eq!(run.exits(0).json()["error"], Value::Null);
}

/// Every command of `koru --help` has a result in JSON, or says that it has none.
#[test]
fn every_command_prints_json_or_refuses() {
    let help = koru(["--help"]).run();
    let commands: Vec<&str> = help
        .out
        .lines()
        .skip_while(|l| !l.starts_with("Commands:"))
        .skip(1)
        .take_while(|l| !l.is_empty())
        .filter_map(|l| l.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty())
        .collect();
    assert!(commands.len() > 20, "{commands:?}");
    let dir = tempfile::tempdir().expect("a folder");
    let refuse = ["demo", "debug", "shell", "exec", "completions", "dev"];
    for name in &commands {
        let rest: &[&str] = match *name {
            "exec" => &["true"],
            "completions" => &["bash"],
            "dev" => &["bindings"],
            name if refuse.contains(&name) => &[],
            // Errors, where the command itself takes long.
            "test" | "watch" | "run" | "load" | "reload" | "build" | "clean" | "editor" => &[],
            "preflight" => &["--kernel", "7.99"],
            "check" | "fuzz" => &["nothing"],
            "verify" => &["no_such_contract"],
            "contract" => &["check", "no_such_contract"],
            "grade" => &["nowhere", "--contract", "nothing", "--out", "results"],
            "new" => &["1a"],
            "vm" => &["status", "--vm", "nobodys"],
            "cache" => &["import", "/nowhere"],
            "kernel" => &["default"],
            "decode" => &["/nowhere"],
            "bench" => &["--op", "fly"],
            "unload" => &["x", "--vm", "nobodys"],
            "list" | "log" => &["--vm", "nobodys"],
            "doctor" | "env" => &[],
            "api" => &["--kernel", "7.99"],
            // It installs packages.
            "setup" => continue,
            other => panic!("`koru {other}` is not tested"),
        };
        let arguments = [&[*name], rest, &["--json"]].concat();
        let arguments = match *name {
            "exec" => vec!["--json", "exec", "true"],
            _ => arguments,
        };
        let run = koru(arguments).dir(dir.path()).run_and_leave();
        let value: Value = serde_json::from_str(&run.out)
            .unwrap_or_else(|e| panic!("koru {name} --json: {e}\n{run}"));
        if refuse.contains(name) {
            run.exits(2);
            let context = &value["error"]["context"];
            assert_eq!(context, "reading the option --json", "{run}");
        }
    }
}

#[test]
fn commands_that_only_act_have_a_result() {
    let dir = tempfile::tempdir().expect("a folder");
    let run = koru(["new", "made", "--json"]).dir(dir.path()).run();
    assert_eq!(run.exits(0).json()["module"], "made");
    let run = koru(["editor", "--json"])
        .dir(&dir.path().join("made"))
        .run();
    let written = run.exits(0).json()["written"].clone();
    assert!(
        written[0]
            .as_str()
            .is_some_and(|p| p.ends_with("settings.json")),
        "{run}"
    );
    let target = dir.path().join("made/target/koru");
    fs::create_dir_all(&target).expect("a folder");
    let run = koru(["clean", "--json"])
        .dir(&dir.path().join("made"))
        .run();
    assert_eq!(
        run.exits(0).json()["removed"][0],
        target.display().to_string()
    );
    let run = koru(["vm", "stop", "--vm", "nobodys", "--json"]).run();
    assert_eq!(run.exits(0).json()["up"], false);
}

#[test]
fn dumb_terminal_gets_plain_lines() {
    for kind in ["dumb", ""] {
        let run = koru(["build", "helo"]).env("TERM", kind);
        let run = run.on_terminal().end();
        run.exits(2).prints("error: looking for the module `helo`");
        assert!(!run.out.contains('\x1b'), "{run}");
    }
    // The steps are shown, too, and not only in a status line, which is never drawn.
    let dir = tempfile::tempdir().expect("a folder");
    let module = dir.path().join("steps");
    let module = module.to_str().expect("text");
    koru(["new", module]).run().exits(0);
    let run = koru(["build", module]).without_env("TERM");
    let run = run.on_terminal().end();
    run.exits(0).prints("koru: linking steps.ko");
    assert!(!run.out.contains('\x1b'), "{run}");
    // As a check of the test: another terminal has colours.
    let run = koru(["build", "helo"])
        .env("TERM", "xterm")
        .on_terminal()
        .end();
    assert!(run.out.contains('\x1b'), "{run}");
}

/// Runs a script in a shell, with `$0` as the koru script.
#[track_caller]
fn shell(script: &str) -> Run {
    let koru = root().join("koru");
    let words = ["bash", "-c", script].map(std::ffi::OsStr::new);
    common::koru_by(words.into_iter().chain([koru.as_os_str()]), [""; 0]).run()
}

#[test]
fn reader_that_goes_away_is_no_error() {
    for command in ["kernel list", "--help", "completions bash", "build hello"] {
        let run = shell(&format!(
            "\"$0\" {command} | head -c1; exit ${{PIPESTATUS[0]}}"
        ));
        assert!(
            [Some(0), Some(141)].contains(&run.status.code()),
            "{command}: {run}"
        );
        assert!(
            !run.err.contains("panicked") && !run.err.contains("roken pipe"),
            "{run}"
        );
    }
    // Nobody reads, from the beginning on; neither the output nor the errors.
    let run = shell(
        "sleep 0.5 | { sleep 1; \"$0\" build helo; } 2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}",
    );
    assert!(!run.err.contains("panicked"), "{run}");
    let run = shell("\"$0\" build helo 2> >(exec true); exit $?");
    run.exits(2);
}

#[test]
fn full_disk_is_an_error_that_is_told() {
    let run = shell("\"$0\" kernel list > /dev/full");
    run.exits(1)
        .says("error: writing to standard output: No space left");
}

#[test]
fn full_pipe_that_does_not_block_gets_everything() {
    // 1031 is F_SETPIPE_SZ.
    let script = "use Fcntl;
pipe(R, W);
fcntl(W, 1031, 4096);
fcntl(W, F_SETFL, fcntl(W, F_GETFL, 0) | O_NONBLOCK);
my $koru = fork;
if (!$koru) {
    open(STDOUT, '>&W');
    close(R);
    exec(@ARGV, 'completions', 'bash');
}
close(W);
sleep(1);
print <R>;
waitpid($koru, 0);
exit($? >> 8);";
    let koru = root().join("koru");
    let words = ["perl", "-e", script].map(std::ffi::OsStr::new);
    let slow = common::koru_by(words.into_iter().chain([koru.as_os_str()]), [""; 0]).run();
    let all = koru_completions();
    assert!(all.len() > 8192);
    assert_eq!(slow.exits(0).out, all);
}

fn koru_completions() -> String {
    koru(["completions", "bash"]).run().exits(0).out.clone()
}

#[test]
fn absolute_path_is_the_guests_program_or_else_ours() {
    let run = |program: &str| koru(["run", "hello", "--", program]).run();
    run("/bin/pwd").exits(0).prints("/");
    // A static program of this machine that the guest does not have.
    let dir = tempfile::tempdir().expect("a folder");
    let source = dir.path().join("mine.c");
    fs::write(
        &source,
        "#include <stdio.h>\nint main(void) { puts(\"mine\"); return 7; }\n",
    )
    .unwrap();
    let built = |options: &[&str], name: &str| {
        let path = dir.path().join(name);
        let gcc = std::process::Command::new("gcc")
            .args(options)
            .arg(&source)
            .arg("-o")
            .arg(&path)
            .status();
        assert!(gcc.expect("gcc").success());
        path.display().to_string()
    };
    run(&built(&["-static"], "fixed")).exits(7).prints("mine\n");
    run(&built(&[], "dynamic"))
        .exits(2)
        .says("it needs shared libraries, which the guest does not have")
        .says("gcc -static");
    run("/no/such/program")
        .exits(1)
        .says("there is no such command there");
}
