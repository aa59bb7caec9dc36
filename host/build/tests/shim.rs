//! What `kernel/shim/shim.h` promises of itself.

use std::collections::BTreeSet;
use std::path::PathBuf;

const CONTEXTS: [&str; 4] = ["KORU_ANY", "KORU_ATOMIC", "KORU_SLEEPS", "KORU_PROCESS"];

fn kernel(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../kernel")
        .join(path)
}

fn read(path: &str) -> String {
    let path = kernel(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The declarations of a header, without comments, directives and the bodies of
/// structures.
fn declarations(header: &str) -> Vec<String> {
    let mut text = String::new();
    let mut rest = header;
    while let Some((before, comment)) = rest.split_once("/*") {
        text.push_str(before);
        rest = comment.split_once("*/").expect("comments end").1;
    }
    text.push_str(rest);
    let code = text.lines().filter(|line| !line.starts_with('#'));
    let code = code.collect::<Vec<_>>().join("\n");

    let (mut found, mut current, mut depth) = (Vec::new(), String::new(), 0);
    for c in code.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ';' if depth == 0 => {
                found.push(current.split_whitespace().collect::<Vec<_>>().join(" "));
                current.clear();
            }
            _ if depth == 0 => current.push(c),
            _ => {}
        }
    }
    assert_eq!(current.trim(), "", "the last declaration ends");
    found
}

fn function(prototype: &str) -> &str {
    let before = prototype.split('(').next().unwrap_or_default();
    before
        .rsplit([' ', '*'])
        .next()
        .expect("a function has a name")
}

fn prototypes() -> Vec<String> {
    let all = declarations(&read("shim/shim.h"));
    all.into_iter()
        .filter(|d| d.contains('(') && !d.starts_with("typedef "))
        .collect()
}

#[test]
fn every_function_says_which_context_it_needs() {
    let prototypes = prototypes();
    assert!(prototypes.len() > 60, "{} functions", prototypes.len());
    for prototype in prototypes {
        let first = prototype.split(' ').next().unwrap_or_default();
        assert!(
            CONTEXTS.contains(&first),
            "`{prototype}` begins with no context"
        );
        let words = prototype.split(|c: char| !c.is_alphanumeric() && c != '_');
        assert_eq!(
            words.filter(|word| CONTEXTS.contains(word)).count(),
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
    let prototypes = prototypes();
    let declared: BTreeSet<&str> = prototypes.iter().map(|p| function(p)).collect();
    assert_eq!(bound, declared);
}

/// A `void *` parameter is data that only its owner knows the type of, or memory.
/// The kernel's objects have their tags.
#[test]
fn kernel_objects_have_tags() {
    let objects = [
        "lock", "key", "task", "pid", "file", "inode", "kiocb", "iov", "dev", "misc", "seq",
        "queue", "probe", "regs", "fops",
    ];
    for prototype in prototypes() {
        for object in objects {
            assert!(
                !prototype.contains(&format!("void *{object},"))
                    && !prototype.contains(&format!("void *{object})")),
                "`{prototype}` takes any pointer as `{object}`"
            );
        }
    }
}
