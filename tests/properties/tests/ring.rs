// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compares the ring of `circbuf` with a copy of one byte after the other.

#[path = "../../../modules/circbuf/src/wrap.rs"]
mod wrap;

use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Get { start: usize, len: usize },
    Put { start: usize, bytes: Vec<u8> },
}

/// Generates a ring, and steps that start inside the ring and are not longer than it.
fn games() -> impl Strategy<Value = (Vec<u8>, Vec<Step>)> {
    let ring = prop::collection::vec(any::<u8>(), 1..80);
    ring.prop_flat_map(|ring| {
        let size = ring.len();
        let get = (0..=size, 0..=size).prop_map(|(start, len)| Step::Get { start, len });
        let put = (0..=size, prop::collection::vec(any::<u8>(), 0..=size))
            .prop_map(|(start, bytes)| Step::Put { start, bytes });
        let steps = prop::collection::vec(prop_oneof![get, put], 0..60);
        (Just(ring), steps)
    })
}

proptest! {
    #[test]
    fn it_is_a_ring((mut ring, steps) in games()) {
        let mut model = ring.clone();
        let size = ring.len();
        for step in steps {
            match step {
                Step::Get { start, len } => {
                    let out = wrap::parts(&ring, start, len).concat();
                    let wanted: Vec<u8> = (0..len).map(|i| model[(start + i) % size]).collect();
                    prop_assert_eq!(out, wanted);
                }
                Step::Put { start, bytes } => {
                    wrap::write(&mut ring, start, &bytes);
                    for (i, byte) in bytes.iter().enumerate() {
                        model[(start + i) % size] = *byte;
                    }
                }
            }
            prop_assert_eq!(&ring, &model);
        }
    }
}
