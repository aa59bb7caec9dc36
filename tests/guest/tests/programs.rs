// SPDX-License-Identifier: MIT OR Apache-2.0

//! The programs of `programs/`, with the modules that they are for.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use koru_testing::Module;

koru_testing::test_file!(one_cpu);

/// What a program printed, what it complained of, and its exit status.
fn run(program: &str, arguments: &[&str], input: &[u8]) -> (String, String, Option<i32>) {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{program}: {e}"));
    // It may end before it has read all.
    let _ = child.stdin.take().expect("piped").write_all(input);
    let output = child.wait_with_output().expect("its output");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code(),
    )
}

#[track_caller]
fn says(program: &str, arguments: &[&str], input: &str, status: i32, out: &str, err: &str) {
    let seen = run(program, arguments, input.as_bytes());
    assert_eq!(seen, (out.to_owned(), err.to_owned(), Some(status)));
}

#[koru_testing::all_cpus]
#[test]
fn deque_client_with_full_ex() {
    let _module = Module::load("full_ex", &[]).expect("it loads");
    says(
        "deque_client",
        &[
            "3", "push", "1", "push", "-2", "push", "-3", "pop", "pop", "pop",
        ],
        "",
        0,
        "3: ok\npush 1: ok\npush -2: ok\npush -3: ok\npop: -3\npop: 1\npop: -2\n",
        "",
    );
    // The next run has a deque of its own.
    says(
        "deque_client",
        &[
            "pop", "0", "101", "1", "push", "2", "push", "4", "1", "pop", "pop",
        ],
        "",
        1,
        "pop: EACCES\n0: EINVAL\n101: EINVAL\n1: ok\npush 2: ok\npush 4: EACCES\n1: EINVAL\n\
         pop: 2\npop: EACCES\n",
        "",
    );
    says(
        "deque_client",
        &[],
        "# a script\n2 push 5 push\n6\npop pop # both\npop\n",
        1,
        "2: ok\npush 5: ok\npush 6: ok\npop: 5\npop: 6\npop: EACCES\n",
        "",
    );
}

#[koru_testing::all_cpus]
#[test]
fn deque_client_without_full_ex() {
    says(
        "deque_client",
        &["3", "pop"],
        "",
        1,
        "",
        "deque_client: open /proc/full_ex: ENOENT\n",
    );
}

#[koru_testing::all_cpus]
#[test]
fn ioshell_with_full_ex() {
    let _module = Module::load("full_ex", &[]).expect("it loads");
    let commands = "read 4\nread 3\nwrite-hex 02\nwrite abc\nwrite abcd\nwrite-hex 01000000\n\
                    write more\nread 16\nread 4\nread 4\nclose\nopen /proc/full_ex\nread 4\n";
    let out = "1 byte written\n4 bytes written\n4 bytes written\n\
               4 bytes: \\x01\\x00\\x00\\x00\n4 bytes: abcd\n";
    let err = "error: line 1: read: EACCES (Permission denied)\n\
               error: line 2: read: EINVAL (Invalid argument)\n\
               error: line 4: write: EINVAL (Invalid argument)\n\
               error: line 7: write: EACCES (Permission denied)\n\
               error: line 10: read: EACCES (Permission denied)\n\
               error: line 13: read: EACCES (Permission denied)\n";
    says("ioshell", &["/proc/full_ex"], commands, 0, out, err);
    says(
        "ioshell",
        &["--strict", "/proc/full_ex"],
        commands,
        1,
        out,
        err,
    );
}

#[test]
fn ioshell_with_my_timer() {
    let _module = Module::load("my_timer", &[]).expect("it loads");
    let commands = b"open /proc/timer r\nread 14\ntell\nseek 0\nread 13\nwrite x\n";
    let (out, err, status) = run("ioshell", &["--strict"], commands);
    assert_eq!(
        out,
        "14 bytes: current time: \nposition 14\nposition 0\n13 bytes: current time:\n"
    );
    assert_eq!(err, "error: line 6: write: EBADF (Bad file number)\n");
    assert_eq!(status, Some(1));
}

#[test]
fn ioshell_with_circbuf() {
    let _module = Module::load("circbuf", &[]).expect("it loads");
    let commands = "read 4\nseek -2 end\nwrite merhaba\ntell\nseek 0\ndump 16\nseek 4096\n\
                    read 2\nseek 4097\nseek -3 cur\nread 0\n";
    says(
        "ioshell",
        &["/dev/circbuf"],
        commands,
        0,
        "4 bytes: \\x00\\x01\\x02\\x03\nposition 4094\n7 bytes written\nposition 5\nposition 0\n\
         00000000  72 68 61 62 61 05 06 07  08 09 0a 0b 0c 0d 0e 0f |rhaba...........|\n\
         position 4096\n2 bytes: rh\n0 bytes: \n",
        "error: line 9: seek: EINVAL (Invalid argument)\n\
         error: line 10: seek: EINVAL (Invalid argument)\n",
    );
}

#[test]
fn ioshell_with_hello_proc() {
    let _module = Module::load("hello_proc", &[]).expect("it loads");
    says(
        "ioshell",
        &["--strict", "/proc/hello"],
        "read 100\nread 1\nwrite hi\\n\nseek 0\nread 1\nread 100\n",
        0,
        "12 bytes: Hello World\\n\n0 bytes: \n3 bytes written\nposition 0\n1 byte: h\n\
         2 bytes: i\\n\n",
        "",
    );
}

#[test]
fn ioshell_on_an_ordinary_file() {
    fs::write(
        "/tmp/script",
        "open /tmp/new-one new\nwrite hello\nseek -3 end\ndump\n",
    )
    .expect("a file");
    says(
        "ioshell",
        &["--strict", "--script", "/tmp/script"],
        "",
        0,
        "5 bytes written\nposition 2\n\
         00000002  6c 6c 6f                                         |llo|\n",
        "",
    );
    assert_eq!(fs::read("/tmp/new-one").expect("the new file"), b"hello");
    for file in ["/tmp/script", "/tmp/new-one"] {
        fs::remove_file(file).expect("rm");
    }
}

#[test]
fn empty_and_part1() {
    for program in ["empty", "part1"] {
        says(program, &[], "", 0, "", "");
    }
}
