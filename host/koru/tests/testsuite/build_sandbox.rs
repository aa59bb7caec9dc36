// SPDX-License-Identifier: MIT OR Apache-2.0

//! Builds of sources that are not trusted: a Makefile is a program of whoever wrote it.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::common::{Koru, koru};

/// Writes a module in C whose Makefile has these lines as well.
fn module(makefile: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("a file");
    write("Makefile", &format!("obj-m := hello.o\n{makefile}\n"));
    write("hello.c", "#error the end of the build\n");
    dir
}

fn verify(folder: &Path) -> Koru {
    let folder = folder.to_str().expect("text");
    koru(["verify", "hello", "--src", folder])
}

fn verify_with(folder: &Path, options: &[&str]) -> Koru {
    let folder = folder.to_str().expect("text");
    let words = ["verify", "hello", "--src", folder];
    koru(words.iter().chain(options).copied())
}

/// Returns the argument of a `sleep` that no other process has.
fn unique() -> String {
    let now = std::time::UNIX_EPOCH.elapsed().expect("a clock");
    format!("321.{}", now.as_nanos())
}

fn is_running(word: &str) -> bool {
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .filter_map(|p| fs::read(p.path().join("cmdline")).ok())
        .any(|line| line.split(|b| *b == 0).any(|w| w == word.as_bytes()))
}

#[track_caller]
fn wait_until(word: &str, running: bool) {
    let end = Instant::now() + Duration::from_secs(90);
    while is_running(word) != running {
        assert!(Instant::now() < end, "{word} is running: {}", !running);
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_endless_build_ends_at_its_limit() {
    let sleep = unique();
    let dir = module(&format!(
        "$(shell setsid sleep {sleep} >/dev/null 2>&1 &)\n$(shell sleep 1000)"
    ));
    verify_with(dir.path(), &["--build-limit", "2"])
        .run()
        .exits(4)
        .says("timed out after 2 s")
        .says("--build-limit SECONDS");
    assert!(!is_running(&sleep));
}

/// What a build starts ends with the build.
#[test]
fn no_child_outlives_the_build() {
    let sleep = unique();
    let dir = module(&format!(
        "$(shell setsid sleep {sleep} >/dev/null 2>&1 &)\n$(warning begun)"
    ));
    verify(dir.path()).run().exits(4).says("begun");
    assert!(!is_running(&sleep));
}

#[test]
fn nothing_outlives_a_killed_koru() {
    let sleep = unique();
    let dir = module(&format!("$(shell setsid sleep {sleep} & sleep {sleep})"));
    let running = verify(dir.path()).start();
    wait_until(&sleep, true);
    running.signal(Signal::KILL);
    running.end();
    wait_until(&sleep, false);
}

#[test]
fn a_full_disk_and_a_fork_bomb_are_told() {
    for (lines, message) in [
        (
            "$(shell cat /dev/zero > $(M)/big)",
            "wrote more than 1024 MB",
        ),
        (
            "$(shell bash -c ':(){ :|:& };:; sleep 1000')",
            "used more than 1024 processes and threads",
        ),
    ] {
        let dir = module(lines);
        verify(dir.path()).run().exits(4).says(message);
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 2);
    }
}

/// A file in the home folder can be neither read nor removed, and neither can one beside the
/// module's.
#[test]
fn a_build_has_no_home() {
    let home = tempfile::tempdir().expect("a folder");
    let canary = home.path().join("canary");
    fs::write(&canary, "alive").expect("a file");
    let file = canary.display();
    let dir = module(&format!(
        "$(warning seen: $(shell cat {file} $$HOME/canary; rm -rf {file} $$HOME/*; whoami))\n\
         $(warning network: $(shell ls /sys/class/net; cat /proc/net/route | wc -l))"
    ));
    let run = verify(dir.path()).env("HOME", home.path()).run();
    run.exits(4).says("seen:").says("network: 1");
    assert!(!run.err.contains("alive"), "{run}");
    assert_eq!(fs::read_to_string(&canary).expect("it is there"), "alive");
    // With a path to read as well, and without a sandbox.
    let folder = home.path().to_str().expect("text");
    let dir = module(&format!("$(warning seen: $(shell cat {file}))"));
    let options: [&[&str]; 2] = [&["--with", folder], &["--trust"]];
    for options in options {
        let run = verify_with(dir.path(), options).run();
        run.exits(4).says("seen: alive");
    }
    let run = verify(dir.path()).env("KORU_TRUST", "1").run();
    run.exits(4).says("seen: alive");
}

/// A Makefile's warnings are shown, and are no reason to fail.
#[test]
fn warnings_of_a_makefile_are_shown() {
    let dir = module("$(warning mind the step)");
    fs::write(
        dir.path().join("hello.c"),
        "#include <linux/module.h>\nstatic int unused(void) { return 42; }\n\
         MODULE_LICENSE(\"GPL\");\n",
    )
    .expect("a file");
    verify_with(dir.path(), &["modinfo"])
        .run()
        .says(&format!(
            "{}/Makefile:2: mind the step",
            dir.path().display()
        ))
        .says("hello.c:2:12: warning: ")
        .prints("`modinfo` shows license");
}

/// Without bubblewrap, koru says how to get it, and what else can be done.
#[test]
fn without_bubblewrap_there_is_no_build() {
    let dir = module("$(warning begun)");
    let programs = tempfile::tempdir().expect("a folder");
    for folder in std::env::split_paths(&std::env::var_os("PATH").expect("a PATH")) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            // The first of a name is the one that counts.
            if entry.file_name() != "bwrap" {
                let _ = symlink(entry.path(), programs.path().join(entry.file_name()));
            }
        }
    }
    let path = PathBuf::from(programs.path());
    let run = verify(dir.path()).env("PATH", &path).run();
    run.exits(3)
        .says("there is no bubblewrap (`bwrap`) here")
        .says("`koru setup`")
        .says("`--trust`");
    assert!(!run.err.contains("begun"), "{run}");
    let run = verify_with(dir.path(), &["--trust"])
        .env("PATH", path)
        .run();
    run.exits(4).says("begun");
    koru(["doctor"])
        .env("PATH", programs.path())
        .run()
        .exits(3)
        .prints("no `bwrap` on the PATH");
}
