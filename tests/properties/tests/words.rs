// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compares the search for bytes by eights with one byte after the other.

#[path = "../../../kernel/kernel/src/print/words.rs"]
mod words;

use proptest::prelude::*;

use words::{above, below, count_until, equal};

/// Generates texts in which the bytes at the limits are frequent.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let limits = prop::sample::select(&b"\x00\x01\x1f %%\\~\x7f\x80\xff"[..]);
    let byte = prop_oneof![1 => any::<u8>(), 1 => limits, 12 => b'a'..=b'z'];
    prop::collection::vec(byte, 0..60)
}

proptest! {
    #[test]
    fn it_finds_the_first_one(text in texts()) {
        let before = |passes: fn(u8) -> bool| {
            text.iter().position(|byte| passes(*byte)).unwrap_or(text.len())
        };
        prop_assert_eq!(count_until(&text, |w| below(w, b' ')), before(|b| b < b' '));
        prop_assert_eq!(count_until(&text, |w| above(w, b'~')), before(|b| b > b'~'));
        prop_assert_eq!(count_until(&text, |w| equal(w, b'%')), before(|b| b == b'%'));
        prop_assert_eq!(count_until(&text, |w| equal(w, 0)), before(|b| b == 0));
        let plain = |w| below(w, b' ') | above(w, b'~') | equal(w, b'\\');
        prop_assert_eq!(
            count_until(&text, plain),
            before(|b| !matches!(b, b' '..=b'~') || b == b'\\')
        );
    }
}
