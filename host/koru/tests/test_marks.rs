// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru test` runs each test of a user's package as the test is marked.

mod common;

use std::fs;

use common::{Run, koru, root};

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
    let folder = tempfile::tempdir().expect("a folder");
    let run = |folder: &std::path::Path, arguments: &[&str]| {
        koru(arguments)
            .dir(folder)
            .env("CARGO_TARGET_DIR", root().join("target/cli-tests"))
            .run()
    };
    run(folder.path(), &["new", name]).exits(0);
    let package = folder.path().join(name);
    fs::write(package.join(format!("tests/{name}.rs")), source).expect("a file");
    run(&package, &["test", "--kernel", "6.12"])
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
