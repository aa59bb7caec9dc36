// SPDX-License-Identifier: MIT OR Apache-2.0

//! The examples of the kernel crate's documentation, which the module `kt_examples` runs.

use koru_testing::{Log, Module};

koru_testing::test_file!(one_cpu);

/// The examples run when the module is loaded. One that panics stops the kernel, and the log
/// names it last.
#[test]
fn examples_run() {
    let log = Log::from_now();
    drop(Module::load("kt_examples", &[]).unwrap());
    let said = log.messages("kt_examples: ");
    let (last, each) = said.split_last().expect("messages");
    let count: usize = last.strip_prefix("ran ").expect("the end").parse().unwrap();
    let running = each.iter().filter(|m| m.starts_with("running ")).count();
    assert_eq!(running, count);
    assert!(count > 150, "only {count} examples were found");
}
