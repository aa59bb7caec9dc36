// SPDX-License-Identifier: MIT OR Apache-2.0

//! Where `koru new` makes a module, and what it leaves if it fails.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::common::{self, Run, koru, koru_by, root};

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> = entries
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[track_caller]
fn in_folder(folder: &Path, arguments: &[&str]) -> Run {
    koru(arguments)
        .dir(folder)
        .env("CARGO_TARGET_DIR", root().join("target/cli-tests"))
        .run()
}

/// The first commands of the README, with `make` after them.
#[test]
fn first_lines_of_the_readme_lead_to_a_module_that_make_builds() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let line = |begin: &str| {
        let line = readme
            .lines()
            .find_map(|l| l.strip_prefix("    ").filter(|l| l.starts_with(begin)));
        line.unwrap_or_else(|| panic!("no `{begin}' in the README"))
            .to_owned()
    };
    let (path, new) = (line("export PATH="), line("./koru new "));
    let new = new.replace("demo1", "target/readme1");
    let made = root().join("target/readme1");
    let _ = fs::remove_dir_all(&made);
    let script = format!("{path} && {new} && make && koru build && koru test --kernel 6.12");
    let run = koru_by(["bash", "-c", &script], [""; 0])
        .env("CARGO_TARGET_DIR", root().join("target/cli-tests"))
        .run();
    run.exits(0).prints("readme1.ko").prints("passed, 0 failed");
    // It is the module's own tests that ran.
    assert!(!run.out.contains("koru-conformance"), "{run}");
    fs::remove_dir_all(&made).expect("removing it");
}

#[test]
fn kernel_that_is_chosen_is_that_of_make() {
    let dir = tempfile::tempdir().expect("a folder");
    in_folder(dir.path(), &["new", "older", "--kernel", "6.1"]).exits(0);
    let makefile = fs::read_to_string(dir.path().join("older/Makefile")).unwrap();
    assert!(
        makefile.starts_with("export KORU_KERNEL ?= 6.1\n"),
        "{makefile}"
    );
    let settings = fs::read_to_string(dir.path().join("older/.vscode/settings.json")).unwrap();
    assert!(settings.contains("/shims/6.1."), "{settings}");
    let make = Command::new("make")
        .arg(format!("KORU={}", root().join("koru").display()))
        .current_dir(dir.path().join("older"))
        .env("KORU_CACHE", common::kernels::cache())
        .env("CARGO_TARGET_DIR", root().join("target/cli-tests"))
        .env_remove("KORU_KERNEL")
        .env_remove("MAKEFLAGS")
        .output()
        .expect("make");
    let said = String::from_utf8_lossy(&make.stdout);
    let complaints = String::from_utf8_lossy(&make.stderr);
    assert!(said.contains("for 6.1."), "{said}\n{complaints}");
    // A kernel that is not there, in either way: there is no module either.
    in_folder(dir.path(), &["new", "never", "--kernel", "9.9"])
        .exits(2)
        .says("no such kernel is installed");
    koru(["new", "never"])
        .dir(dir.path())
        .env("KORU_KERNEL", "9.9")
        .run()
        .exits(2)
        .says("no such kernel is installed");
    assert_eq!(names(dir.path()), ["older"]);
}

#[test]
fn nothing_is_left_of_a_module_that_cannot_be_made() {
    let dir = tempfile::tempdir().expect("a folder");
    // The last step of all fails: the workspace's manifest cannot be changed.
    fs::write(
        dir.path().join("Cargo.toml"),
        "# [workspace]\nworkspace.members = []\n",
    )
    .unwrap();
    in_folder(dir.path(), &["new", "deep/down/x"])
        .exits(2)
        .says("its list of members is not found");
    // A folder in which nothing can be made.
    koru(["new", "/proc/x/y"]).run().exits(1);
    assert_eq!(names(dir.path()), ["Cargo.toml"]);
}

#[test]
fn ctrl_c_leaves_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let place = dir.path().join("deep/er");
    let mut ended_early = 0;
    // At one time or another, it is in the middle of it.
    for wait in [0, 20, 50, 100, 200, 400] {
        let running = koru(["new", "deep/er/x"]).dir(dir.path()).start();
        let begun = Instant::now();
        while !place.exists() && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(wait));
        running.signal_all(Signal::INT);
        let run = running.end();
        if place.join("x").exists() {
            run.exits(0);
            assert!(place.join("x/.vscode/settings.json").is_file(), "{run}");
            fs::remove_dir_all(dir.path().join("deep")).unwrap();
        } else {
            ended_early += 1;
            assert_eq!(names(dir.path()), [""; 0], "{run}");
        }
    }
    assert!(ended_early > 0);
}

#[test]
#[ignore = "takes long"]
fn two_modules_fit_into_one_workspace() {
    let dir = tempfile::tempdir().expect("a folder");
    // Side by side, each with a workspace of its own.
    in_folder(dir.path(), &["new", "apart1"]).exits(0);
    in_folder(dir.path(), &["new", "apart2"]).exits(0);
    in_folder(dir.path(), &["build", "./apart1", "./apart2"])
        .exits(0)
        .prints("apart1.ko")
        .prints("apart2.ko");
    // In a workspace that is there already.
    let shared = dir.path().join("shared");
    fs::create_dir(&shared).unwrap();
    let manifest = "# Ours\n[workspace]\nresolver = \"2\"\nmembers = [\n]\n";
    fs::write(shared.join("Cargo.toml"), manifest).unwrap();
    in_folder(&shared, &["new", "one1"]).exits(0);
    in_folder(&shared, &["new", "two2", "--template", "proc"]).exits(0);
    let text = fs::read_to_string(shared.join("Cargo.toml")).unwrap();
    assert!(text.starts_with("# Ours\n[workspace]\nresolver"), "{text}");
    in_folder(&shared, &["build"])
        .exits(0)
        .prints("one1.ko")
        .prints("two2.ko");
    in_folder(&shared.join("two2"), &["test", "--kernel", "6.12"])
        .exits(0)
        .prints(", 0 failed");
    // A pattern has it already.
    fs::write(
        shared.join("Cargo.toml"),
        "[workspace]\nresolver = \"2\"\nmembers = [\"*\", \"*/tests\"]\n",
    )
    .unwrap();
    in_folder(&shared, &["new", "three3"]).exits(0);
    in_folder(&shared, &["build", "three3"]).exits(0);
    let text = fs::read_to_string(shared.join("Cargo.toml")).unwrap();
    assert!(!text.contains("three3"), "{text}");
}

#[test]
fn kernel_crate_is_compiled_once_for_all_workspaces() {
    let dir = tempfile::tempdir().expect("a folder");
    for name in ["once1", "once2"] {
        koru(["new", name]).dir(dir.path()).run().exits(0);
    }
    let build = |name: &str| koru(["build"]).dir(&dir.path().join(name)).run();
    build("once1").exits(0).prints("once1.ko");
    let second = build("once2");
    second.exits(0).says("Compiling once2").prints("once2.ko");
    assert!(!second.err.contains("Compiling koru-"), "{second}");
    assert!(!second.err.contains("Compiling syn"), "{second}");
    // Versions are those with which Koru is tested, of what the workspace uses.
    let lock = fs::read_to_string(dir.path().join("once2/Cargo.lock")).expect("a lock file");
    assert!(
        lock.contains("name = \"once2\"") && !lock.contains("name = \"clap\""),
        "{lock}"
    );
}
