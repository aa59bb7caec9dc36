// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru check`: what it finds in planted modules, and that it finds nothing in others. What needs
//! the debug kernel is in `debug_kernel.rs`.

use std::fs;

use crate::common::{koru, line_of, root};

const MEMORY: &str = "tests/planted/memory";

#[test]
fn module_is_loaded_many_times() {
    let arguments = ["check", "hello", "--only", "reload", "--loads", "300"];
    let run = koru(arguments).run();
    run.exits(0)
        .prints("reload   pass     300 times on ")
        .says("hello: nothing was found");
}

#[test]
fn leak_is_found_by_loading_and_the_command_that_finds_it_again_is_named() {
    let arguments = ["check", MEMORY, "--only", "reload", "-p", "fault=leak"];
    let run = koru(arguments).run();
    let line = line_of(&format!("{MEMORY}/memory.c"), "memory = kmalloc(");
    run.exits(1)
        .prints("reload   FOUND    left behind after unload: ")
        // Some of the 10 objects may be KFENCE's.
        .prints(" of kmalloc-64, allocated by ")
        .says(&format!("function get ({MEMORY}/memory.c:{line})"))
        .says(&format!(
            "again: koru check {MEMORY} --only reload -p fault=leak"
        ));
    let json = koru(arguments.iter().chain(&["--json"])).run();
    let report = json.exits(1).json();
    assert_eq!(report["module"], "tests/planted/memory");
    let row = &report["checks"][0];
    assert_eq!(report["checks"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&row["strength"], &row["result"]),
        (&"reload".into(), &"found".into())
    );
    assert!(
        row["error"]["message"]
            .as_str()
            .is_some_and(|m| m.contains("kmalloc-64")),
        "{json}"
    );
    assert!(
        row["replay"]
            .as_str()
            .is_some_and(|r| r.ends_with("-p fault=leak")),
        "{json}"
    );
}

/// The cheaper check does not find what only a use of the module shows.
#[test]
fn tests_of_the_module_find_what_loading_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["Kbuild", "memory.c"] {
        let from = root().join(MEMORY).join(file);
        fs::copy(from, folder.path().join(file)).expect("a copy");
    }
    fs::create_dir(folder.path().join("tests")).expect("a folder");
    let test = "#!/bin/sh\necho this is wrong\nfalse\n";
    fs::write(folder.path().join("tests/fails.sh"), test).expect("a script");
    let run = koru(["check", "--only", "reload,tests", "--loads", "20"]);
    let run = run.dir(folder.path()).run();
    run.exits(1)
        .prints("reload   pass     20 times on ")
        .prints("tests    FOUND    ")
        .says("this is wrong");
}

#[test]
fn first_finding_ends_the_check_unless_it_is_to_go_on() {
    let arguments = ["check", MEMORY, "--only", "reload,tests", "--loads", "3"];
    let wrong = ["-p", "fault=overflow"];
    let run = koru(arguments.iter().chain(&wrong)).run();
    run.exits(1)
        .prints("reload   FOUND    the kernel complained: ")
        .prints("tests    skipped  something was found before");
}

#[test]
fn module_that_cannot_be_checked_is_no_finding() {
    koru(["check", "helo"])
        .run()
        .exits(2)
        .says("did you mean hello");
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken.c");
    fs::write(&broken, "#include <linux/module.h>\nint x = y;\n").expect("a file");
    let run = koru(["check", "broken.c"]).dir(folder.path()).run();
    run.exits(1).says("broken.c:2");
    assert!(!run.out.contains("FOUND"), "{run}");
    // Which of Koru's modules?
    let run = koru(["check"]).dir(&root()).run();
    run.exits(2).says("name one: `koru check MODULE`");
}
