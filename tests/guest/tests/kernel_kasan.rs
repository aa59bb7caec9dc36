// SPDX-License-Identifier: MIT OR Apache-2.0

//! What KASAN says of memory faults in Rust, planted in the module `kt_kasan`. It tells
//! of the first one only, so each test has a kernel of its own.

use koru_testing::{Log, Module, kernel_may_say, skip};
use koru_tests::has_kasan;

koru_testing::test_file!(one_cpu);

const MODULE: &str = "kt_kasan";

/// Plants a fault, which KASAN is to report as this, in the function of this name.
#[track_caller]
fn is_reported(fault: &str, as_what: &str, in_function: &str) -> Vec<String> {
    if !has_kasan() {
        skip("this kernel has no KASAN");
    }
    let log = Log::from_now();
    kernel_may_say(&format!("BUG: KASAN: {as_what} in "));
    let module = Module::load(MODULE, &[&format!("fault={fault}")]).expect("it goes on");
    let lines: Vec<String> = log.records().into_iter().map(|r| r.text).collect();
    let said = lines.iter().filter(|line| line.starts_with("BUG: KASAN: "));
    let said: Vec<&String> = said.collect();
    let function = format!("{}{in_function}", in_function.len());
    let is_it = |line: &str| {
        line.starts_with(&format!("BUG: KASAN: {as_what} in _R"))
            && line.contains(&function)
            && line.ends_with(&format!(" [{MODULE}]"))
    };
    assert!(matches!(said[..], [line] if is_it(line)), "{lines:#?}");
    module.unload().expect("nobody uses it");
    lines
}

#[track_caller]
fn has(lines: &[String], text: &str) {
    assert!(lines.iter().any(|l| l.contains(text)), "{text}: {lines:#?}");
}

#[test]
fn past_the_end_of_an_allocation() {
    let lines = is_reported("heap", "slab-out-of-bounds", "past_the_end_of_the_heap");
    has(&lines, "Write of size 1 at addr ");
    has(&lines, "Allocated by task ");
    has(&lines, "located 0 bytes to the right of");
}

#[test]
fn after_the_free() {
    let lines = is_reported("freed", "slab-use-after-free", "after_the_free");
    has(&lines, "Read of size 1 at addr ");
    has(&lines, "Freed by task ");
}

#[test]
fn past_the_end_of_the_stack() {
    let fault = "past_the_end_of_the_stack";
    is_reported("stack", "stack-out-of-bounds", fault);
}

#[test]
fn past_the_end_of_a_global() {
    let fault = "past_the_end_of_a_global";
    is_reported("global", "global-out-of-bounds", fault);
}

/// What is not read or written wrongly is not reported.
#[test]
fn no_fault() {
    let module = Module::load(MODULE, &[]).expect("it is without a fault");
    module.unload().expect("nobody uses it");
}
