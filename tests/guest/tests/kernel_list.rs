// SPDX-License-Identifier: MIT OR Apache-2.0

//! Lists, on the module `kt_list`, which compares them with a model.

use koru_testing::{Log, Module};

koru_testing::test_file!(one_cpu);

#[test]
fn lists_are_as_their_model() {
    let log = Log::from_now();
    let module = Module::load("kt_list", &[]);
    assert_eq!(log.messages("kt_list: "), ["all is right"]);
    drop(module.unwrap());
}
