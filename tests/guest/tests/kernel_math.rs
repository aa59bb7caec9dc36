// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kernel's arithmetic, on the module `kt_math`.

use koru_testing::{Log, Module};

koru_testing::test_file!(one_cpu);

const PRIME: u64 = 0x61C8_8646_80B5_83EB;

fn said(a: u64, b: u64) -> Vec<String> {
    let log = Log::from_now();
    let params = [format!("a={a}"), format!("b={b}")];
    drop(Module::load("kt_math", &params.each_ref().map(String::as_str)).unwrap());
    log.messages("kt_math: ")
}

#[test]
fn gcd() {
    for (a, b, wanted) in [
        (3300, 24, 12),
        (24, 3300, 12),
        (0, 0, 0),
        (0, 5, 5),
        (5, 0, 5),
        (1, u64::MAX, 1),
        (u64::MAX, u64::MAX, u64::MAX),
        (1 << 63, 1 << 40, 1 << 40),
        (u64::MAX, 3, 3),
    ] {
        assert_eq!(said(a, b)[0], format!("gcd {wanted}"), "{a} {b}");
    }
}

#[test]
fn hashes() {
    for value in [0, 1, 0xffff_8880_1234_5600, u64::MAX] {
        let hash = value.wrapping_mul(PRIME);
        let wanted = [
            format!("prime {PRIME}"),
            "hash 0 0".to_owned(),
            format!("hash 1 {}", hash >> 63),
            format!("hash 8 {}", hash >> 56),
            format!("hash 64 {hash}"),
            format!("hash 65 {hash}"),
        ];
        assert_eq!(said(value, 1)[1..], wanted, "{value}");
    }
}
