// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kernel with debugging checks that Koru builds, and what it finds in planted modules.

use std::time::Duration;

use crate::common::{Run, koru, line_of};

const MEMORY: &str = "tests/planted/memory";
const LOCKS: &str = "tests/planted/locks";
const ERRORS: &str = "tests/planted/errors";
const CALLS: &str = "tests/planted/calls";

/// How long the build of the kernel may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(3000);

/// A fault, what the kernel says of it, and a text in the source line that is named.
const REPORTED: [(&str, &str, &str, &str); 5] = [
    (
        MEMORY,
        "overflow",
        "BUG: KASAN: slab-out-of-bounds",
        "at[index] = 'x';",
    ),
    (
        MEMORY,
        "after-free",
        "BUG: KASAN: slab-use-after-free",
        "at[index] = 'x';",
    ),
    (
        MEMORY,
        "double-free",
        "BUG: KASAN: double-free",
        "kfree(freed);",
    ),
    (
        LOCKS,
        "order",
        "possible circular locking dependency",
        "backwards();",
    ),
    (
        LOCKS,
        "sleep",
        "sleeping function called from invalid context",
        "kmalloc(",
    ),
];

/// The kernel is built in a cache of the test's own, because other tests run on every kernel there
/// is.
#[test]
#[ignore = "takes long"]
fn debug_kernel_is_built_and_finds_what_is_planted() {
    let cache = tempfile::tempdir().expect("a folder");
    let run = |words: &[&str]| -> Run {
        let run = koru(words).env("KORU_CACHE", cache.path());
        run.within(LIMIT).run()
    };
    let added = run(&["kernel", "add", "debug"]);
    added.exits(0).prints("-debug\n");
    // It is not built again.
    let again = run(&["kernel", "add", "debug"]);
    again.exits(0).prints("-debug\n");
    assert!(!again.err.contains("building the kernel"), "{again}");
    run(&["run", "hello", "--kernel", "debug"])
        .exits(0)
        .prints("Hello world");
    for (folder, fault, said, line) in REPORTED {
        let found = run(&[
            "run",
            folder,
            "--kernel",
            "debug",
            "-p",
            &format!("fault={fault}"),
        ]);
        found.exits(1).says("the kernel complained: ").says(said);
        let at = format!(":{}", line_of(&source(folder), line));
        assert!(
            found.out.contains(&at) || found.err.contains(&at),
            "{at}\n{found}"
        );
    }
    let unlocked = ["run", LOCKS, "--kernel", "debug", "-p", "fault=unlock"];
    run(&unlocked)
        .exits(1)
        .says("lock held when returning to user space");
    for folder in [MEMORY, LOCKS] {
        run(&["run", folder, "--kernel", "debug"]).exits(0);
    }
    let check = |fault: &str| {
        let fault = format!("fault={fault}");
        run(&["check", ERRORS, "--only", "faults", "-p", &fault])
    };
    let line = |text: &str| format!("errors.c:{}", line_of(&source(ERRORS), text));
    check("none").exits(0).prints("faults   pass ");
    check("leak")
        .exits(1)
        .says("left behind after unload: ")
        .says(&line("first = kmalloc("));
    check("unchecked")
        .exits(1)
        .says("allocation of `open /proc/errors` fail: the kernel complained: ")
        .says(&line("note[0] = 0;"));
    check("errno")
        .exits(1)
        .says("open /proc/errors fails with EINVAL")
        .says(&line("char *note = kmalloc("));
    coverage_finds_a_number_that_chance_does_not(&run);
}

/// A number of four bytes leads to a wrong write: coverage finds it, and chance does not, in as many
/// calls.
fn coverage_finds_a_number_that_chance_does_not(run: &dyn Fn(&[&str]) -> Run) {
    let fuzz = |more: &[&str]| {
        let fixed = ["fuzz", CALLS, "--kernel", "debug", "-p", "fault=magic"];
        let limits = ["--seed", "1", "--calls", "20000", "--minutes", "30"];
        run(&[&fixed[..], &limits, more].concat())
    };
    let line = line_of(&source(CALLS), "WRITE_ONCE(buffer[place]");
    let found = fuzz(&[]);
    found
        .exits(1)
        .prints("=55524f4b")
        .says("BUG: KASAN: slab-out-of-bounds")
        .says(&format!("calls.c:{line}"));
    fuzz(&["--unguided"]).exits(0);
}

/// Returns the source file of a planted module.
fn source(folder: &str) -> String {
    let name = folder.rsplit('/').next().expect("a name");
    format!("{folder}/{name}.c")
}
