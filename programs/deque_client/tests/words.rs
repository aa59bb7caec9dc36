// SPDX-License-Identifier: MIT OR Apache-2.0

//! Tests which words `deque_client` understands, without its module. `tests/guest` tests it with
//! the module.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

fn client(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_deque_client"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("deque_client");
    let _ = child
        .stdin
        .take()
        .expect("piped")
        .write_all(input.as_bytes());
    child.wait_with_output().expect("its output")
}

#[track_caller]
fn says(arguments: &[&str], input: &str, status: i32, out: &str, err: &str) {
    let output = client(arguments, input);
    assert_eq!(String::from_utf8_lossy(&output.stdout), out);
    assert_eq!(String::from_utf8_lossy(&output.stderr), err);
    assert_eq!(output.status.code(), Some(status));
}

#[test]
fn commands_are_taken_from_the_command_line() {
    says(
        &["--file", "/dev/zero", "5", "push", "-3", "pop"],
        "",
        0,
        "5: ok\npush -3: ok\npop: 0\n",
        "",
    );
}

#[test]
fn script_is_read_from_standard_input() {
    says(
        &["--file", "/dev/zero"],
        "# first the capacity\n5 push\n7\n\npop # and out\n",
        0,
        "5: ok\npush 7: ok\npop: 0\n",
        "",
    );
}

#[test]
fn errors_have_their_names() {
    says(
        &["--file", "/dev/full", "5", "pop"],
        "",
        1,
        "5: ENOSPC\npop: 0\n",
        "",
    );
    says(
        &["--file", "/dev/null", "5", "pop"],
        "",
        0,
        "5: ok\npop: 0 bytes instead of 4\n",
        "",
    );
    says(
        &["--file", "/nowhere", "5"],
        "",
        1,
        "",
        "deque_client: open /nowhere: ENOENT\n",
    );
}

#[test]
fn unknown_commands_are_refused() {
    let zero = ["--file", "/dev/zero"];
    // No command runs if one is not understood.
    says(
        &[&zero[..], &["5", "pull"]].concat(),
        "",
        2,
        "",
        "deque_client: `pull` is not a command; the commands are N, push VALUE and pop\n",
    );
    says(
        &[&zero[..], &["push"]].concat(),
        "",
        2,
        "",
        "deque_client: nothing follows `push`\n",
    );
    says(
        &zero,
        "5\npush x\n",
        2,
        "5: ok\n",
        "deque_client: line 2: `x` is not an integer of 32 bits\n",
    );
    assert_eq!(client(&["--fly"], "").status.code(), Some(2));
    let help = client(&["--help"], "");
    assert!(help.stdout.starts_with(b"Usage: deque_client") && help.status.success());
}
