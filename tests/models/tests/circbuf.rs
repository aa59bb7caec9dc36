// SPDX-License-Identifier: MIT OR Apache-2.0

//! The ring of `circbuf` under every order of those who use it.

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

/// A reader gets what was there before a write or after it, across the end of the
/// ring as well.
#[test]
fn a_reader_sees_no_half_of_a_write() {
    every_order(None, || {
        let ring = ring(4);
        let (a, b) = (ring.clone(), ring.clone());
        let first = thread::spawn(move || a.write(3, &[9, 9, 9]));
        let second = thread::spawn(move || b.write(2, &[7, 7, 7, 7]));
        let mut seen = [0; 4];
        ring.read(2, &mut seen);
        // From 2 on: what both have left, each in its place.
        let states = [[2, 3, 0, 1], [2, 9, 9, 9], [7, 7, 7, 7], [7, 9, 9, 9]];
        assert!(states.contains(&seen), "{seen:?}");
        first.join().unwrap();
        second.join().unwrap();
        ring.read(2, &mut seen);
        assert!([[7, 7, 7, 7], [7, 9, 9, 9]].contains(&seen), "{seen:?}");
    });
}
