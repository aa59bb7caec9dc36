// SPDX-License-Identifier: MIT OR Apache-2.0

//! Tests of the explanations, by the words of several compilers and kernels.

use super::*;

/// The hints for an error in the line with `^` before it.
fn hints(release: &str, source: &str, error: &str) -> Vec<Hint> {
    let dir = tempfile::tempdir().unwrap();
    let line = 1 + source.lines().position(|l| l.starts_with('^')).unwrap_or(0);
    fs_write(dir.path(), &source.replace('^', ""));
    let output = format!("{}/a.c:{line}:3: error: {error}\n", dir.path().display());
    explain_errors(&output, &mut Sources::new(dir.path()), release)
}

fn fs_write(dir: &Path, text: &str) {
    std::fs::write(dir.join("a.c"), text).unwrap();
}

#[track_caller]
fn one(release: &str, source: &str, error: &str) -> Hint {
    let mut found = hints(release, source, error);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

fn unknown(name: &str) -> String {
    format!("implicit declaration of function ‘{name}’ [-Werror=implicit-function-declaration]")
}

#[test]
fn old_name_is_explained_from_its_removal_on() {
    let source = "^\tdel_timer_sync(&t);\n";
    let hint = one("6.15.3-1-default", source, &unknown("del_timer_sync"));
    assert_eq!(
        hint.message,
        "since Linux 6.15, `del_timer_sync` is called `timer_delete_sync`"
    );
    assert_eq!(hint.edits[0].new, ["\ttimer_delete_sync(&t);"]);
    // Before, the include is missing.
    let hint = one("6.12.117+deb12-amd64", source, &unknown("del_timer_sync"));
    assert!(hint.message.contains("is declared in <linux/timer.h>"));
}

#[test]
fn new_name_is_explained_before_its_addition() {
    let source = "^\ttimer_delete_sync(&t);\n";
    let hint = one("5.15.0-91-generic", source, &unknown("timer_delete_sync"));
    assert_eq!(
        hint.message,
        "before Linux 6.2, `timer_delete_sync` is called `del_timer_sync`; this kernel is 5.15"
    );
    assert_eq!(hint.edits[0].new, ["\tdel_timer_sync(&t);"]);
}

#[test]
fn from_timer_is_explained_on_new_kernels() {
    let source = "^\tstruct mine *m = from_timer(m, t, timer);\n";
    let clang = "call to undeclared function 'from_timer'; ISO C99 and later do not support \
                 implicit function declarations [-Wimplicit-function-declaration]";
    let hint = one("6.16.0", source, clang);
    assert_eq!(
        hint.edits[0].new,
        ["\tstruct mine *m = timer_container_of(m, t, timer);"]
    );
    assert!(hints("6.12.0", source, clang).is_empty());
}

#[test]
fn clang_does_not_name_the_function_of_a_wrong_call() {
    let source = "^\tcls = class_create(THIS_MODULE, \"x\");\n";
    let clang = "too many arguments to function call, expected single argument 'name', have 2 \
                 arguments";
    let hint = one("6.6.30", source, clang);
    assert_eq!(hint.edits[0].new, ["\tcls = class_create(\"x\");"]);
    assert!(hints("6.1.0", source, clang).is_empty());
}

#[test]
fn namespace_is_a_text_since_6_13() {
    let source = "^MODULE_IMPORT_NS(DMA_BUF);\n";
    let error = "expected ‘,’ or ‘;’ before ‘DMA_BUF’";
    let hint = one("6.13.0-1", source, error);
    assert_eq!(hint.edits[0].new, ["MODULE_IMPORT_NS(\"DMA_BUF\");"]);
    assert!(hints("6.12.0-1", source, error).is_empty());
}

#[test]
fn remove_new_came_and_went() {
    let source = "^\t.remove_new = my_remove,\n";
    let error = "‘struct platform_driver’ has no member named ‘remove_new’; did you mean ‘remove’?";
    let hint = one("6.13.1", source, error);
    assert_eq!(hint.edits[0].new, ["\t.remove = my_remove,"]);
    assert!(
        one("5.10.0", source, error)
            .message
            .starts_with("before Linux 6.3, ")
    );
    assert!(hints("6.6.0", source, error).is_empty());
}

#[test]
fn hrtimers_changed_in_6_15() {
    let source = "^\thrtimer_init(&t, CLOCK_MONOTONIC, HRTIMER_MODE_REL);\n";
    let hint = one("6.15.0", source, &unknown("hrtimer_init"));
    assert!(hint.example.unwrap().starts_with("hrtimer_setup("));
}

#[test]
fn kernel_read_of_old_is_told_from_other_wrong_calls() {
    let source = "^\tn = kernel_read(file, 0, buf, 16);\n";
    let error = "passing argument 3 of ‘kernel_read’ makes integer from pointer without a cast";
    assert!(one("6.12.0", source, error).message.contains("4.14"));
    let error = "passing argument 3 of ‘other’ makes integer from pointer without a cast";
    assert!(hints("6.12.0", source, error).is_empty());
}

#[test]
fn one_cause_is_told_once() {
    let source = "^\tstrlcpy(a, b, 8);\n\tstrlcpy(b, a, 8);\n";
    let dir = tempfile::tempdir().unwrap();
    fs_write(dir.path(), &source.replace('^', ""));
    let path = dir.path().display();
    let output = format!(
        "{path}/a.c:1:2: error: {}\n{path}/a.c:2:2: error: {}\n",
        unknown("strlcpy"),
        unknown("strlcpy")
    );
    let found = explain_errors(&output, &mut Sources::new(dir.path()), "6.8.0");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].edits.len(), 2);
}

#[test]
fn versions_of_all_forms() {
    let of = |release: &str| Version::of_release(release).map(|v| v.to_string());
    assert_eq!(of("6.12.117+deb12-cloud-amd64").as_deref(), Some("6.12"));
    assert_eq!(of("6.1.0-56").as_deref(), Some("6.1"));
    assert_eq!(of("2.6.32-754.el6").as_deref(), Some("2.6.32"));
    assert_eq!(of("next"), None);
    assert!(Version::of_release("6.12") > Version::of_release("6.2.1"));
}
