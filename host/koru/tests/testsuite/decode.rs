// SPDX-License-Identifier: MIT OR Apache-2.0

//! Oopses are shown with source lines, also those of modules in C and of any log.

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

use crate::common::{KERNELS, Run, Vm, kernels, koru, line_of, root};

/// A module in C, built as its author would build it, and the log of its oops.
struct Lab {
    dir: TempDir,
    kernel: &'static str,
}

impl Lab {
    fn of(source: &str, kernel: &'static str) -> Lab {
        let dir = tempfile::tempdir().expect("a folder");
        let text = fs::read_to_string(root().join(source)).expect("a source");
        fs::write(dir.path().join("student.c"), text).expect("writing");
        fs::write(dir.path().join("Kbuild"), "obj-m := student.o\n").expect("writing");
        let lab = Lab { dir, kernel };
        lab.make();
        lab
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn make(&self) {
        let output = Command::new("make")
            .arg("-C")
            .arg(kernels::tree(self.kernel).build_dir)
            .arg(format!("M={}", self.path().display()))
            .env_remove("MAKEFLAGS")
            .output()
            .expect("make");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }

    #[track_caller]
    fn koru(&self, arguments: &[&str]) -> Run {
        koru(arguments.iter().copied()).dir(self.path()).run()
    }

    fn run(&self, options: &[&str]) -> Run {
        let run = ["run", "student.ko", "--kernel", self.kernel];
        self.koru(&[&run, options].concat())
    }

    /// Returns the log of the oops as dmesg shows it.
    fn log(&self) -> String {
        let run = self.run(&["--json"]);
        let json = run.exits(1).json();
        let records = json["log"].as_array().expect("a log");
        let line = |r: &serde_json::Value| {
            let time = r["timestamp_us"].as_u64().unwrap_or(0);
            let text = r["text"].as_str().unwrap_or("");
            format!("[{:5}.{:06}] {text}\n", time / 1_000_000, time % 1_000_000)
        };
        records.iter().map(line).collect()
    }
}

const OOPS: &str = "tests/broken/hello_init_oops/hello.c";

#[test]
fn oops_in_a_c_module_has_source_lines() {
    let line = line_of(OOPS, "nowhere)");
    for kernel in KERNELS {
        let lab = Lab::of(OOPS, kernel);
        let told = |run: &Run| {
            run.prints("] oops: NULL pointer dereference (read of address 0)\n")
                .prints(&format!("\n  at student.c:{line}"))
                .prints(", in hello_init\n")
                .prints("READ_ONCE(*nowhere)")
                .prints("do_one_initcall");
            assert!(!run.out.contains("RAX"), "{run}");
        };
        told(lab.run(&[]).exits(1));

        let log = lab.log();
        let file = lab.path().join("oops.txt");
        fs::write(&file, format!("before it\n{log}after it\n")).expect("writing");
        // The module's file is in this folder.
        let run = lab.koru(&["decode", "oops.txt"]);
        told(run.exits(0).prints("before it\n").prints("\nafter it\n"));
        assert!(!run.out.contains("(student: "), "nothing is missing\n{run}");

        // In another folder koru finds the module only when its file is named.
        let elsewhere = tempfile::tempdir().expect("a folder");
        let serial = log.replace('\n', "\r\n");
        let decode = |options: &[&str]| {
            let arguments = ["decode", "-"].iter().chain(options).copied();
            koru(arguments)
                .dir(elsewhere.path())
                .input(serial.as_bytes())
                .run()
        };
        decode(&[])
            .exits(0)
            .prints("    hello_init+0x")
            .prints("student: no debug info found; give its .ko with `koru decode --ko FILE`");
        let ko = lab.path().join("student.ko").display().to_string();
        for option in ["--ko", "--debug"] {
            decode(&[option, &ko])
                .exits(0)
                .prints(&format!("\n  at {}/student.c:{line}", lab.path().display()))
                .prints("READ_ONCE(*nowhere)");
        }
        decode(&["--ko", &ko, "--raw"])
            .prints("RIP: 0010:hello_init+")
            .prints("/student.c:");
        let run = decode(&["--ko", &ko, "--json"]);
        let json = run.exits(0).json();
        let report = &json["decoded"][0];
        assert_eq!(report["kind"], "oops", "{run}");
        assert_eq!(report["at"]["line"], line, "{run}");
        assert_eq!(report["at"]["function"], "hello_init", "{run}");
        assert_eq!(json.as_object().map(|o| o.len()), Some(1), "{run}");
    }
}

/// These tests build C for a kernel and run it on the same one, whichever kernels the user has
/// added. This one runs them again with other kernels.
#[test]
#[ignore = "takes long"]
fn decoding_ignores_added_kernels() {
    let added = kernels::Added::new();
    let own = added.directory("6.12.999");
    let add = koru(
        ["kernel", "add"]
            .map(Path::new)
            .iter()
            .copied()
            .chain([&*own]),
    );
    add.env("KORU_CACHE", added.cache()).run().exits(0);
    let this = std::env::current_exe().expect("this program");
    let output = Command::new(this)
        .args(["--exact", "decode::debug_info_of_another_build_is_refused"])
        .env("KORU_CACHE", added.cache())
        .output()
        .expect("running it again");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

/// A hang in C is shown with function and line, as one in Rust is.
#[test]
#[ignore = "takes long"]
fn hang_in_a_c_module_has_source_lines() {
    let source = "tests/broken/hello_loops/hello.c";
    let first = line_of(source, "while (");
    for kernel in KERNELS {
        let lab = Lab::of(source, kernel);
        let run = lab.run(&[]);
        // The line is that of the condition, or that of the loop's body, which is in a header.
        let lines = [first, first + 1].map(|line| format!("wait_for_it (student.c:{line})"));
        assert!(
            lines.iter().any(|l| run.err.contains(&format!("in {l}"))),
            "{run}"
        );
        run.exits(1)
            .prints("] hang: CPU stuck in wait_for_it\n")
            .prints("\n  at student.c:")
            .prints("int waited = wait_for_it();\n");
    }
}

#[test]
fn debug_info_of_another_build_is_refused() {
    let [old, new] = KERNELS;
    let lab = Lab::of(OOPS, old);
    let log = lab.log();
    let other = Lab::of(OOPS, new);
    fs::write(other.path().join("oops.txt"), log).expect("writing");
    let run = other.koru(&["decode", "oops.txt"]);
    run.exits(0)
        .prints("student.ko is from another build than the loaded module")
        .prints("    hello_init+0x");
    assert!(!run.out.contains("\n  at "), "no wrong line\n{run}");
}

#[test]
fn rebuild_after_the_load_is_noticed() {
    let vm = Vm::new();
    let lab = Lab::of(OOPS, "6.12");
    let with = |arguments: &[&str]| vm.koru(arguments).dir(lab.path()).run_and_leave();
    with(&["load", "student.ko", "--kernel", "6.12"])
        .exits(1)
        .prints("\n  at student.c:");
    with(&["log"]).exits(0).prints("\n  at student.c:");
    // The functions have the same sizes, but other lines.
    let source = lab.path().join("student.c");
    let text = fs::read_to_string(&source).expect("the source");
    fs::write(&source, format!("\n\n{text}")).expect("writing");
    lab.make();
    let run = with(&["log"]);
    run.exits(0)
        .prints("is from another build than the loaded module (by its build-id)");
    assert!(!run.out.contains("\n  at "), "no wrong line\n{run}");
}

#[test]
fn oops_in_a_followed_log_is_decoded() {
    let vm = Vm::new();
    vm.run(&["load", "hello", "--kernel", "6.1"]).exits(0);
    let mut follower = vm.koru(&["log", "--follow"]).start();
    follower.wait_for_output("Hello world");
    vm.run(&["load", "kt_fault_null"]).exits(1);
    follower.wait_for_output("] oops: NULL pointer dereference");
    follower.wait_for_output("kt_fault_null/src/lib.rs:");
    vm.run(&["vm", "stop"]).exits(0);
    follower.end().exits(0);
}

#[test]
fn log_without_reports_is_passed_through() {
    let dir = tempfile::tempdir().expect("a folder");
    let koru = |arguments: &[&str]| koru(arguments.iter().copied()).dir(dir.path());
    koru(&["decode", "nothing"])
        .run()
        .exits(2)
        .says("reading ")
        .says("/nothing");
    koru(&["decode", "-", "--ko", "nothing.ko"])
        .run()
        .exits(2)
        .says("there is no such file");
    fs::write(dir.path().join("text.ko"), "no module").expect("writing");
    koru(&["decode", "-", "--ko", "text.ko"]).run().exits(2);
    let text = "a line\nm: BUG: words only \x1b[2J\n";
    let run = koru(&["decode"]).input(text.as_bytes()).run();
    run.exits(1)
        .says("koru: no oops")
        .prints("a line\nm: BUG: words only \\u{1b}[2J\n");
    let run = koru(&["decode", "--json"]).input(text.as_bytes()).run();
    assert_eq!(
        run.exits(1).json()["decoded"],
        serde_json::json!([]),
        "{run}"
    );
    // The input is not even text.
    let noise: Vec<u8> = (0..5000u32).map(|i| (i * 7919 % 251) as u8).collect();
    koru(&["decode"]).input(&noise).run().exits(1);
}
