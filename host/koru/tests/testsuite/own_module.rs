// SPDX-License-Identifier: MIT OR Apache-2.0

//! A module of a user's own, outside of the checkout: `koru new`, its build, its tests.

use std::{fs, path::Path};

use crate::common::{KERNELS, Run, koru, root};

/// Commands in a folder of their own, outside of the checkout. All share one
/// target folder: the kernel crate is compiled once.
struct Away(tempfile::TempDir);

impl Away {
    fn new() -> Away {
        Away(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    #[track_caller]
    fn koru(&self, folder: &str, arguments: &[&str]) -> Run {
        koru(arguments)
            .dir(&self.path().join(folder))
            .env("CARGO_TARGET_DIR", root().join("target/cli-tests"))
            .run()
    }
}

#[test]
fn compile_errors_are_shown_as_rustc_prints_them() {
    let away = Away::new();
    away.koru(".", &["new", "broken1"]).exits(0);
    let built = away.koru("broken1", &["build", "--json"]);
    let built = built.exits(0).json();
    let ko = built[0]["path"].as_str().expect("a path").to_owned();
    let good = fs::read(&ko).expect("a module");
    let source = away.path().join("broken1/src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(
        &source,
        format!("{text}\nfn broken() -> u32 {{\n    nowhere\n}}\n"),
    )
    .unwrap();
    let run = away.koru("broken1", &["build", "--quiet"]);
    run.exits(1)
        .says("error[E0425]: cannot find value `nowhere` in this scope\n")
        .says("--> src/lib.rs:");
    // rustc's words, and nothing around them.
    assert!(run.err.starts_with("error[E0425]"), "{run}");
    assert!(
        run.err.trim_end().ends_with("try `rustc --explain E0425`."),
        "{run}"
    );
    assert_eq!(run.out, "");
    // The last good one is still there, also for those who load it.
    assert!(fs::read(&ko).unwrap() == good);
    // A warning is shown, and no reason to stop.
    fs::write(&source, format!("{text}\nfn unused() {{}}\n")).unwrap();
    away.koru("broken1", &["build"])
        .exits(0)
        .says("warning: function `unused` is never used");
}

#[test]
fn link_errors_name_the_symbol() {
    let away = Away::new();
    away.koru(".", &["new", "floats1"]).exits(0);
    let source = away.path().join("floats1/src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    let float = "\n#[inline(never)]\nfn half(n: f64) -> f64 {\n    n / 2.0\n}\n";
    let text = text.replacen(
        "        pr_info!(",
        "        pr_info!(\"{}\\n\", half(core::hint::black_box(3.0)) as i64);\n        pr_info!(",
        1,
    );
    fs::write(&source, text + float).unwrap();
    away.koru("floats1", &["build"])
        .exits(1)
        .says("floating point is used in ")
        .says("floats1::half")
        .says("use integers");
}

#[test]
fn new_refuses_unusable_names() {
    let away = Away::new();
    let long = "a".repeat(56);
    for name in [
        "1a", "My", "a-b", "a b", "kernel", "core", "ünder", &long, "x/",
    ] {
        let run = away.koru(".", &["new", name]);
        match name {
            // Only a folder of that name, and that one is good.
            "x/" => run.exits(0),
            _ => run.exits(2).says("error: making the module"),
        };
    }
    fs::create_dir(away.path().join("here")).unwrap();
    away.koru(".", &["new", "here"])
        .exits(2)
        .says("is there already");
    fs::write(away.path().join("a_file"), "").unwrap();
    away.koru(".", &["new", "a_file"])
        .exits(2)
        .says("is there already");
    away.koru(".", &["new", "a_file/inside"]).exits(1);
    let mut left: Vec<_> = fs::read_dir(away.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["a_file", "here", "x"]);
    assert_eq!(fs::read_dir(away.path().join("here")).unwrap().count(), 0);
}

#[test]
fn new_module_runs_outside_the_checkout() {
    let away = Away::new();
    away.koru(".", &["new", "demo1", "--template", "proc"])
        .exits(0)
        .says("cd demo1");
    away.koru("demo1", &["run", "demo1", "--", "cat", "/proc/demo1"])
        .exits(0)
        .prints("Hello from demo1\n");
    // Without its name, from inside; with its path, from outside.
    away.koru("demo1/src", &["run", "--", "cat", "/proc/demo1"])
        .exits(0)
        .prints("Hello from demo1\n");
    away.koru(".", &["build", "./demo1"])
        .exits(0)
        .prints("demo1.ko");
    // Its own tests, on a kernel of choice.
    away.koru("demo1", &["test", "--kernel", "6.1"])
        .exits(0)
        .prints("3 passed, 0 failed");
    // One of them fails: so does the command.
    let test = away.path().join("demo1/tests/demo1.rs");
    let text = fs::read_to_string(&test).unwrap();
    fs::write(&test, text.replace("Hello from", "Bye from")).unwrap();
    away.koru("demo1", &["test", "--kernel", "6.1"])
        .exits(1)
        .prints("reads_what_was_written ... FAILED")
        .prints("1 passed, 2 failed");
    // A kernel that complains fails a test that asks for nothing.
    fs::write(
        &test,
        "#[test]\nfn loads() {\n    koru_testing::Module::load(\"demo1\", &[]).unwrap();\n}\n",
    )
    .unwrap();
    let source = away.path().join("demo1/src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    let bad = text.replacen(
        "let options = ",
        "kernel::fault::warn();\n        let options = ",
        1,
    );
    assert_ne!(bad, text);
    fs::write(&source, bad).unwrap();
    away.koru("demo1", &["test", "--kernel", "6.1"])
        .exits(1)
        .prints("loads ... FAILED")
        .prints("the kernel complained: WARNING: ");
}

#[test]
#[ignore = "takes long"]
fn hello_and_chardev_templates_pass_their_tests() {
    let away = Away::new();
    for template in ["hello", "chardev"] {
        let name = format!("of_{template}");
        away.koru(".", &["new", &name, "--template", template])
            .exits(0);
        for kernel in KERNELS {
            let run = away.koru(&name, &["test", "--kernel", kernel]);
            run.exits(0).prints(", 0 failed");
            assert!(!run.out.contains("\n0 passed"), "{run}");
        }
    }
}

/// Asserts the number of processors in the guest of each test.
const TESTS: &str = "
    #![forbid(unsafe_code)]

    fn processors() -> usize {
        std::thread::available_parallelism().unwrap().get()
    }

    #[test]
    fn without_a_mark() {
        assert_eq!(processors(), 2);
    }

    #[koru_testing::one_cpu]
    #[test]
    fn with_a_mark() {
        assert_eq!(processors(), 1);
    }

    mod alone {
        koru_testing::test_file!(one_cpu);

        #[test]
        fn of_the_module() {
            assert_eq!(super::processors(), 1);
        }

        #[koru_testing::all_cpus]
        #[test]
        fn of_its_own() {
            assert_eq!(super::processors(), 2);
        }
    }
";

/// Runs the tests with this source in a package that `koru new` made. All packages share one
/// target folder, so each has a name of its own.
#[track_caller]
fn test_package(name: &str, source: &str) -> Run {
    let away = Away::new();
    away.koru(".", &["new", name]).exits(0);
    let file = away.path().join(format!("{name}/tests/{name}.rs"));
    fs::write(file, source).expect("a file");
    away.koru(name, &["test", "--kernel", "6.12"])
}

#[test]
fn marked_test_gets_the_processors_that_it_needs() {
    test_package("marked", TESTS)
        .exits(0)
        .prints("with_a_mark ... ok")
        .prints("4 passed, 0 failed");
}

#[test]
fn unknown_mark_is_an_error() {
    let source = format!("{TESTS}\nkoru_testing::test_note!(\"two_moons\", \"with_a_mark\");\n");
    test_package("unknown_mark", &source)
        .exits(2)
        .says("`unknown_mark::with_a_mark` has the unknown mark `two_moons`")
        .says("must come from one checkout");
}
