// SPDX-License-Identifier: MIT OR Apache-2.0

//! Tests `ioshell` on ordinary files, with its commands from a pipe.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

struct Run {
    out: String,
    err: String,
    status: Option<i32>,
}

fn ioshell(arguments: &[&str], commands: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ioshell"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ioshell");
    // The program may end before it has read all commands.
    let _ = child.stdin.take().expect("piped").write_all(commands);
    let output = child.wait_with_output().expect("its output");
    Run {
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
        status: output.status.code(),
    }
}

/// Creates a file with this content, in a folder of its own.
fn file(content: &[u8]) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    fs::write(&path, content).expect("a file");
    let path = path.to_str().expect("text").to_owned();
    (folder, path)
}

#[test]
fn reads_writes_and_seeks() {
    let (_folder, path) = file(b"0123456789");
    let commands = format!(
        "# a comment\n\nopen {path}\nread 3\ntell\nseek 1 cur\nread 2\nseek -1 end\nwrite ab\\n\n\
         seek 0x2\nwrite-hex 00 ff\nseek 0 set\nread 100\nread 1\nclose\n"
    );
    let run = ioshell(&["--strict"], commands.as_bytes());
    assert_eq!(run.err, "");
    assert_eq!(
        run.out,
        "3 bytes: 012\nposition 3\nposition 4\n2 bytes: 45\nposition 9\n3 bytes written\n\
         position 2\n2 bytes written\nposition 0\n12 bytes: 01\\x00\\xff45678ab\\n\n0 bytes: \n"
    );
    assert_eq!(run.status, Some(0));
    assert_eq!(fs::read(path).expect("the file"), b"01\0\xff45678ab\n");
}

#[test]
fn dump_shows_hexadecimal_and_text() {
    let (_folder, path) = file(b"0123456789abcdefg");
    let run = ioshell(&[&path], b"seek 1\ndump 3\ndump\ndump\nquit\nread 1\n");
    assert_eq!(
        run.out,
        "position 1\n\
         00000001  31 32 33                                         |123|\n\
         00000004  34 35 36 37 38 39 61 62  63 64 65 66 67          |456789abcdefg|\n"
    );
    assert_eq!((run.err.as_str(), run.status), ("", Some(0)));
}

#[test]
fn errors_have_a_name_and_a_line() {
    let (folder, path) = file(b"x");
    let nowhere = folder.path().join("nowhere");
    let commands = format!(
        "read 1\nopen {}\nopen {path} r\nwrite a\nseek -2 end\nopen {path}\nfly\nread\nread 1\n",
        nowhere.display()
    );
    let errors = format!(
        "error: line 1: read: no file is open\n\
         error: line 2: open: ENOENT (No such file or directory)\n\
         error: line 4: write: EBADF (Bad file number)\n\
         error: line 5: seek: EINVAL (Invalid argument)\n\
         error: line 6: open: {path} is open: close it first\n\
         error: line 7: `fly` is not a command; `help` lists the commands\n\
         error: line 8: read: usage: read N\n"
    );
    for (arguments, status) in [(&[][..], 0), (&["--strict"], 1)] {
        let run = ioshell(arguments, commands.as_bytes());
        assert_eq!(run.err, errors);
        assert_eq!(run.out, "1 byte: x\n", "it goes on");
        assert_eq!(run.status, Some(status));
    }
}

#[test]
fn script_creates_a_file() {
    let (folder, script) = file(b"open new-one new\nwrite hello\nseek 0\nread 5");
    let here = |path: &str| folder.path().join(path).display().to_string();
    let content = fs::read_to_string(&script).expect("the script");
    fs::write(&script, content.replace("new-one", &here("new-one"))).expect("the script");
    let run = ioshell(&["--strict", "--script", &script], b"read 1\n");
    assert_eq!(run.out, "5 bytes written\nposition 0\n5 bytes: hello\n");
    assert_eq!(run.status, Some(0));
    let run = ioshell(&["--script", &here("nowhere")], b"");
    assert_eq!(run.status, Some(1));
    assert!(run.err.contains("ENOENT"), "{}", run.err);
}

#[test]
fn input_that_is_no_text_is_refused() {
    let run = ioshell(&["--strict"], b"\xff\xfe\nwrite \\q\n");
    assert_eq!(
        run.err,
        "error: line 1: not text; write-hex writes any bytes\n\
         error: line 2: write: `\\q` is not an escape\n"
    );
    assert_eq!(run.status, Some(1));
}

#[test]
fn unusable_files_are_errors() {
    let (_folder, path) = file(b"x");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("chmod");
    let run = ioshell(&["--strict", &path, "more"], b"");
    assert_eq!(run.status, Some(2), "{}", run.err);
    let run = ioshell(&["--strict", "/proc/self"], b"read 1\n");
    assert_eq!(run.status, Some(1));
    assert!(run.err.starts_with("error: open: EISDIR"), "{}", run.err);
    // The device has no position, but can be read.
    let run = ioshell(&["--strict", "/dev/zero"], b"dump 2\n");
    assert!(run.out.contains("00 00"), "{}", run.out);
}

#[test]
fn help_names_every_command() {
    let run = ioshell(&["--strict"], b"help\n");
    for command in [
        "open",
        "read",
        "write",
        "write-hex",
        "seek",
        "tell",
        "dump",
        "close",
        "help",
        "quit",
    ] {
        assert!(run.out.lines().any(|l| l.starts_with(command)), "{command}");
    }
    assert!(ioshell(&["--help"], b"").out.starts_with("Usage: ioshell"));
}

#[test]
fn closed_stdout_ends_the_shell() {
    let command = format!(
        "yes help | {} | head -n 1",
        Path::new(env!("CARGO_BIN_EXE_ioshell")).display()
    );
    let output = Command::new("sh")
        .args(["-c", &command])
        .output()
        .expect("a shell");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
