// SPDX-License-Identifier: MIT OR Apache-2.0

//! Tests `full_ex` under every order of the calls of its processes and their threads.

#[allow(
    unused_attributes,
    dead_code,
    reason = "it is a crate's file, of which this uses a part"
)]
#[path = "../../../modules/full_ex/src/lib.rs"]
mod full_ex;

use kernel::model::{act_as, every_order, open, process, with_memory_for, Descriptor};

const FILE: &std::ffi::CStr = c"full_ex";
const EACCES: i32 = 13;

fn deque(capacity: u8) -> Descriptor {
    let file = open(FILE).expect("open");
    assert_eq!(file.write(&[capacity]), Ok(1));
    file
}

fn push(file: &Descriptor, value: i32) -> Result<usize, i32> {
    file.write(&value.to_ne_bytes())
}

fn take(file: &Descriptor) -> Result<i32, i32> {
    let bytes = file.read(4)?;
    Ok(i32::from_ne_bytes(bytes.try_into().expect("4 bytes")))
}

fn take_all(file: &Descriptor) -> Vec<i32> {
    std::iter::from_fn(|| take(file).ok()).collect()
}

/// When two threads of a process push or pop at once, the result is that of one after the other.
#[test]
fn threads_on_one_deque() {
    every_order(None, || {
        let module = full_ex::load().expect("it loads");
        act_as(1);
        let file = deque(2);
        let theirs = file.clone();
        let other = process(1, move || (push(&theirs, 3), take(&theirs)));
        let mine = (push(&file, 5), take(&file));
        let other = other.join().unwrap();
        assert_eq!((mine.0, other.0), (Ok(4), Ok(4)));
        let mut taken = vec![mine.1.unwrap(), other.1.unwrap()];
        taken.sort();
        assert_eq!(taken, [3, 5]);
        assert_eq!(take(&file), Err(EACCES));
        drop(file);
        drop(module);
    });
}

/// When one slot is left, only one of two threads gets it.
#[test]
fn threads_that_fill_it() {
    every_order(None, || {
        let module = full_ex::load().expect("it loads");
        act_as(1);
        let file = deque(2);
        push(&file, 2).unwrap();
        let theirs = file.clone();
        let other = process(1, move || push(&theirs, 3));
        let mine = push(&file, 4);
        let left = match (mine, other.join().unwrap()) {
            (Ok(4), Err(EACCES)) => [2, 4],
            (Err(EACCES), Ok(4)) => [3, 2],
            other => panic!("{other:?}"),
        };
        assert_eq!(take_all(&file), left);
        drop(file);
        drop(module);
    });
}

/// When two threads set the capacity, one succeeds, and the other's byte is a write of a wrong
/// length.
#[test]
fn threads_that_set_the_capacity() {
    every_order(None, || {
        let module = full_ex::load().expect("it loads");
        act_as(1);
        let file = open(FILE).unwrap();
        let theirs = file.clone();
        let other = process(1, move || theirs.write(&[1]));
        let mine = file.write(&[2]);
        let room = match (mine, other.join().unwrap()) {
            (Ok(1), Err(22)) => 2,
            (Err(22), Ok(1)) => 1,
            other => panic!("{other:?}"),
        };
        assert_eq!(push(&file, 2), Ok(4));
        assert_eq!(push(&file, 4).is_ok(), room == 2);
        drop(file);
        drop(module);
    });
}

/// When two threads of a process open the file at once, one succeeds. Two processes both succeed.
#[test]
fn opening_at_once() {
    every_order(None, || {
        let module = full_ex::load().expect("it loads");
        act_as(1);
        let thread = process(1, || open(FILE));
        let other = process(2, || deque(1));
        let mine = open(FILE);
        let theirs = thread.join().unwrap();
        let outcomes = [mine.is_ok(), theirs.is_ok()];
        assert!(outcomes == [true, false] || outcomes == [false, true]);
        let other = other.join().unwrap();
        assert_eq!(push(&other, 2), Err(EACCES), "it is process 2's");
        drop((mine, theirs, other));
        drop(module);
    });
}

/// While another process closes a descriptor that it inherited, an open by the owner finds the file
/// either still open, or free with a new deque.
#[test]
fn another_process_may_close_last() {
    every_order(None, || {
        let module = full_ex::load().expect("it loads");
        act_as(1);
        let file = deque(1);
        push(&file, 7).unwrap();
        let child = process(2, move || {
            assert_eq!(take(&file), Err(EACCES));
            drop(file);
        });
        match open(FILE) {
            Ok(again) => assert_eq!(take(&again), Err(EACCES), "nothing of the old one"),
            Err(error) => assert_eq!(error, EACCES),
        }
        child.join().unwrap();
        drop(deque(1));
        drop(module);
    });
}

/// An allocation that fails is ENOMEM and leaves nothing behind, so that the same call works
/// afterwards.
#[test]
fn memory_that_is_not_there() {
    const ENOMEM: i32 = 12;
    every_order(None, || {
        act_as(1);
        let mut allocations = 0;
        loop {
            let module = full_ex::load().expect("it loads");
            match with_memory_for(allocations, || open(FILE)) {
                Err(error) => assert_eq!(error, ENOMEM),
                Ok(_) => break,
            }
            allocations += 1;
            drop(deque(1));
            drop(module);
        }
        assert_eq!(allocations, 2, "what an open file is, and who holds it");
        let module = full_ex::load().expect("it loads");
        let file = open(FILE).unwrap();
        assert_eq!(with_memory_for(0, || file.write(&[5])), Err(ENOMEM));
        assert_eq!(push(&file, 1), Err(22), "it has no capacity yet");
        assert_eq!(file.write(&[1]), Ok(1));
        assert_eq!(with_memory_for(0, || push(&file, 1)), Ok(4));
        assert_eq!(with_memory_for(0, || take(&file)), Ok(1));
        drop(file);
        drop(module);
    });
}
