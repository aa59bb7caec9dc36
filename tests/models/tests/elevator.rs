// SPDX-License-Identifier: MIT OR Apache-2.0

//! Tests `elevator` under every order of its thread, its writers, and its unloading.

#[allow(
    unused_attributes,
    dead_code,
    reason = "it is a crate's file, of which this uses a part"
)]
#[path = "../../../modules/elevator/src/lib.rs"]
mod elevator;

use kernel::model::{every_order, open, process, with_memory_for};

const FILE: &std::ffi::CStr = c"elevator";

fn command(text: &str) {
    let file = open(FILE).expect("open");
    assert_eq!(file.write(text.as_bytes()), Ok(text.len()));
}

fn text() -> String {
    let file = open(FILE).expect("open");
    String::from_utf8(file.read(4096).expect("read")).expect("text")
}

fn served() -> usize {
    let text = text();
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix("Number of passengers serviced: "));
    line.expect("a line").parse().expect("a number")
}

/// Unloading ends the thread, whatever the thread is doing and whatever command came just before.
#[test]
fn unloading_at_any_moment() {
    every_order(Some(3), || {
        let module = elevator::load().expect("it loads");
        let other = process(2, || command("1 2 P"));
        command("start");
        other.join().unwrap();
        drop(module);
    });
}

/// Nobody is forgotten: those who wait at the start get home, and so do those who come later.
#[test]
fn everybody_gets_home() {
    every_order(Some(2), || {
        let module = elevator::load().expect("it loads");
        let other = process(2, || command("1 2 P"));
        command("start");
        other.join().unwrap();
        while served() == 0 {
            loom::thread::yield_now();
        }
        assert!(text().contains("Number of passengers waiting: 0\n"));
        drop(module);
    });
}

/// Without memory, reads fail and the module does not load; both work afterwards. A person who comes
/// to wait needs no memory.
#[test]
fn memory_that_is_not_there() {
    const ENOMEM: i32 = 12;
    every_order(Some(0), || {
        for allocations in 0.. {
            let loaded = with_memory_for(allocations, || elevator::load().is_ok());
            if loaded {
                assert!(allocations > 0);
                break;
            }
        }
        let module = elevator::load().expect("it loads");
        assert_eq!(with_memory_for(0, || open(FILE).err()), Some(ENOMEM));
        let file = open(FILE).expect("open");
        let write = |text: &str| file.write(text.as_bytes());
        assert_eq!(with_memory_for(0, || write("1 2 P")), Ok(5));
        for allocations in 0..3 {
            let read = with_memory_for(allocations, || file.read(100));
            assert_eq!(read, Err(ENOMEM), "{allocations}");
        }
        assert!(text().contains("Number of passengers waiting: 1\n"));
        drop(file);
        drop(module);
    });
}
