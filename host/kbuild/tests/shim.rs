// SPDX-License-Identifier: MIT OR Apache-2.0

//! Checks the rules that `kernel/shim/shim.h` sets for itself.

use std::collections::BTreeSet;
use std::path::PathBuf;

use koru_kbuild::shim_header::{self, Context, Function};

fn kernel(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../kernel")
        .join(path)
}

fn read(path: &str) -> String {
    let path = kernel(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn functions() -> Vec<Function> {
    shim_header::functions(&read("shim/shim.h"))
}

#[test]
fn every_function_says_which_context_it_needs() {
    let functions = functions();
    assert!(functions.len() > 60, "{} functions", functions.len());
    for function in functions {
        let prototype = &function.prototype;
        assert!(
            function.context().is_some(),
            "`{prototype}` begins with no context"
        );
        let words = prototype.split(|c: char| !c.is_alphanumeric() && c != '_');
        assert_eq!(
            words.filter_map(Context::of).count(),
            1,
            "`{prototype}` has more contexts than one"
        );
    }
}

#[test]
fn the_bindings_have_these_functions_and_no_others() {
    let bindings = read("kernel/src/bindings.rs");
    let bound: BTreeSet<&str> = bindings
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub fn "))
        .filter_map(|line| line.split('(').next())
        .collect();
    let functions = functions();
    let declared: BTreeSet<&str> = functions.iter().map(|f| &*f.name).collect();
    assert_eq!(bound, declared);
}

/// A `void *` parameter is memory, or data of a type that only its owner knows. Objects of the
/// kernel have their tags.
#[test]
fn kernel_objects_have_tags() {
    let objects = [
        "lock", "key", "task", "pid", "file", "inode", "kiocb", "iov", "dev", "misc", "seq",
        "queue", "probe", "regs", "fops",
    ];
    for Function { prototype, .. } in functions() {
        for object in objects {
            assert!(
                !prototype.contains(&format!("void *{object},"))
                    && !prototype.contains(&format!("void *{object})")),
                "`{prototype}` takes any pointer as `{object}`"
            );
        }
    }
}
