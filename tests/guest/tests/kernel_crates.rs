// SPDX-License-Identifier: MIT OR Apache-2.0

//! Crates of crates.io in ring 0, on the module `kt_crates`.

use koru_testing::{Log, Module};

koru_testing::test_file!(one_cpu);

#[test]
fn they_work() {
    let log = Log::from_now();
    drop(Module::load("kt_crates", &["number=-9223372036854775808"]).unwrap());
    assert_eq!(
        log.messages("kt_crates: "),
        [
            "itoa -9223372036854775808",
            "heapless [0, 1, 2]",
            "text ring true true",
            "left 0",
            "left 1",
            "left 2",
        ]
    );
}
