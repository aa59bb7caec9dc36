// SPDX-License-Identifier: MIT OR Apache-2.0

//! Wrong uses of memory that only a guest notices which checks its memory.

use std::fs;

use crate::common::{KERNELS, Run, koru, line_of, root};

const FOLDER: &str = "tests/planted/memory";

/// Returns `FILE:LINE` of the line of the planted module that contains this text.
fn at(text: &str) -> String {
    format!("memory.c:{}", line_of(&format!("{FOLDER}/memory.c"), text))
}

#[track_caller]
fn run(kernel: &str, fault: &str, more: &[&str]) -> Run {
    let fault = format!("fault={fault}");
    let run = ["run", FOLDER, "--kernel", kernel, "-p", &fault];
    koru(run.iter().chain(more)).run()
}

#[test]
fn writes_where_nothing_may_be_written_are_reported() {
    for kernel in KERNELS {
        for (fault, line) in [
            ("overflow", "memory = kmalloc("),
            ("after-free", "memory = kmalloc("),
            ("double-free", "kfree(freed);"),
        ] {
            let harsh = run(kernel, fault, &["--harsh"]);
            let harsh = harsh.exits(1).says("the kernel complained: ");
            harsh.prints(&format!("/{}\n", at(line)));
        }
    }
}

/// Who allocated what is left is known, although the module is gone.
#[test]
fn leak_is_named_by_the_line_that_allocated() {
    for kernel in KERNELS {
        for (fault, what, line) in [
            ("leak", "an object of kmalloc-64", "memory = kmalloc("),
            ("copy", "an object of kmalloc-64", "memory = kstrdup("),
            ("pages", "5 pages of vmalloc", "memory = vmalloc("),
        ] {
            let left = format!(
                "warning: left behind after unload: {what}, allocated by the function get \
                 ({FOLDER}/{}) of the unloaded module memory",
                at(line)
            );
            run(kernel, fault, &["--harsh"]).exits(0).says(&left);
        }
        let correct = run(kernel, "none", &["--harsh"]);
        correct.exits(0);
        assert!(!correct.err.contains("left behind"), "{correct}");
    }
}

#[test]
fn arguments_of_a_harsh_guest_are_those_that_its_kernel_knows() {
    for kernel in KERNELS {
        let words = run(kernel, "none", &["--harsh", "--", "cat", "/proc/cmdline"]);
        words.exits(0).prints(" slub_debug=FZPU;");
        assert_eq!(words.out.contains(" kfence."), kernel == "6.12", "{words}");
        let plain = run(kernel, "none", &["--", "cat", "/proc/cmdline"]);
        plain.exits(0);
        assert!(!plain.out.contains("slub_debug"), "{plain}");
    }
}

/// Tests run in such a guest without being asked to.
#[test]
fn tests_of_a_module_that_leaks_or_overflows_fail() {
    let source = root().join(FOLDER).join("memory.c");
    for (fault, said) in [
        (
            "leak",
            format!(
                "left behind after unload: an object of kmalloc-64, allocated by the function get \
                 ({}) of the unloaded module memory",
                at("memory = kmalloc(")
            ),
        ),
        ("overflow", "the kernel complained: ".to_owned()),
        ("after-free", "the kernel complained: ".to_owned()),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let kbuild = format!("obj-m := memory.o\nccflags-y := -DFAULT='\"{fault}\"'\n");
        fs::write(folder.path().join("Kbuild"), kbuild).expect("a file");
        fs::copy(&source, folder.path().join("memory.c")).expect("a copy");
        let test = ["test", "--kernel", "6.12", "loads_and_unloads"];
        let run = koru(test).dir(folder.path()).run();
        run.exits(1).prints(&said);
    }
}

/// A kernel that checks its slab caches shows addresses, so the tests in such a guest cannot see
/// that modules do not.
#[test]
fn no_address_is_shown_by_a_plain_kernel() {
    let run = koru(["run", "misuse_core", "-p", "what=addresses"]).run();
    run.exits(0);
    let lines: Vec<&str> = run.out.lines().collect();
    let words = |at: usize| -> Vec<&str> { lines[at].split(' ').rev().take(2).collect() };
    for line in 0..2 {
        let shown = words(line);
        assert_eq!(shown[0], shown[1], "{run}");
        assert!(!shown[0].starts_with("ffff"), "{run}");
    }
}
