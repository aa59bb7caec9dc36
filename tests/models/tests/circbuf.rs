// SPDX-License-Identifier: MIT OR Apache-2.0

//! Tests the ring of `circbuf` under every order of its readers and writers.

#[allow(dead_code, reason = "this uses a part of the file")]
#[path = "../../../modules/circbuf/src/ring.rs"]
mod ring;
#[path = "../../../modules/circbuf/src/wrap.rs"]
mod wrap;

use kernel::{model::every_order, prelude::*, sync::Arc};
use loom::thread;

use ring::Ring;

fn ring(size: usize) -> Arc<Ring> {
    Arc::pin_init(Ring::new(size), GFP_KERNEL).expect("memory")
}

/// A reader sees the bytes from before a write or from after it, also across the end of the ring.
#[test]
fn a_reader_sees_no_half_of_a_write() {
    every_order(None, || {
        let ring = ring(4);
        let (a, b) = (ring.clone(), ring.clone());
        let first = thread::spawn(move || a.write(3, &[9, 9, 9]));
        let second = thread::spawn(move || b.write(2, &[7, 7, 7, 7]));
        let read = || ring.read(2, 4, |parts| parts.concat());
        let seen = read();
        // The bytes from 2 on, in the states that the two writes leave.
        let states = [[2, 3, 0, 1], [2, 9, 9, 9], [7, 7, 7, 7], [7, 9, 9, 9]];
        assert!(states.iter().any(|state| seen == state), "{seen:?}");
        first.join().unwrap();
        second.join().unwrap();
        let seen = read();
        let states = [[7, 7, 7, 7], [7, 9, 9, 9]];
        assert!(states.iter().any(|state| seen == state), "{seen:?}");
    });
}
