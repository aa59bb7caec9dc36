// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is written to a deque, and what is read from it.

use std::{collections::VecDeque, io, os::unix::fs::FileExt};

use koru_tests::{
    BadPointer, Errno, GuardPageBuffer, expect_eq, expect_errno, expect_ok, read_bad, write_bad,
};

use crate::{
    CONTRACT, deque, error, largest, model, open, push, push_all, put, read, set_capacity, take,
    take_all, try_push, try_take, write,
};

/// The first write is one byte, the capacity: 1 to 100.
#[test]
fn every_capacity_from_one_to_the_largest() {
    let _module = CONTRACT.load();
    for capacity in 1..=largest() {
        let file = deque(capacity);
        let values: Vec<i32> = (0..i32::from(capacity)).collect();
        push_all(&file, &values);
        expect_errno(
            &format!("write number {} into a deque of {capacity}", capacity + 1),
            try_push(&file, 1),
            error("full"),
        );
        let done = format!("all that is in a deque of {capacity}");
        expect_eq(&done, take_all(&file), model(&values));
    }
}

/// A capacity of 0, or above 100 as an unsigned byte, is EINVAL; a right one may
/// follow.
#[test]
fn a_wrong_capacity() {
    let _module = CONTRACT.load();
    let file = open();
    for capacity in [0, largest() + 1, 127, 128, 200, 255] {
        expect_errno(
            &format!("first write: the byte {capacity}"),
            write(&file, &[capacity]),
            error("capacity"),
        );
        expect_errno(
            "read after a wrong capacity",
            try_take(&file),
            error("uninitialised"),
        );
    }
    set_capacity(&file, 1);
    push(&file, 1);
    expect_errno("write into a full deque", try_push(&file, 2), error("full"));
    expect_eq("read", take(&file), 1);
}

/// A first write that is not one byte long is EINVAL; a right one may follow.
#[test]
fn a_first_write_of_another_length() {
    let _module = CONTRACT.load();
    let file = open();
    for len in [0, 2, 3, 4, 5, 8, 4096, 100_000] {
        let bytes = vec![5; len];
        let done = format!("first write of {len} bytes");
        expect_errno(&done, write(&file, &bytes), error("capacity"));
    }
    expect_errno(
        "read before a capacity",
        try_take(&file),
        error("uninitialised"),
    );
    set_capacity(&file, 5);
    expect_eq("all that is in it", take_all(&file), [0; 0]);
}

/// Later writes are 4 bytes: any other length is EINVAL, and changes nothing.
#[test]
fn a_later_write_of_another_length() {
    let _module = CONTRACT.load();
    let file = deque(3);
    push_all(&file, &[1, 2]);
    for len in [0, 1, 2, 3, 5, 7, 8, 4096, 100_000] {
        let bytes = vec![5; len];
        let done = format!("later write of {len} bytes");
        expect_errno(&done, write(&file, &bytes), error("size"));
    }
    push(&file, 4);
    expect_eq("all that is in it", take_all(&file), [1, 2, 4]);
}

/// An odd integer goes in on the left, an even one on the right; a read takes the
/// leftmost.
#[test]
fn odd_left_even_right() {
    let _module = CONTRACT.load();
    let file = deque(10);
    push_all(&file, &[1, 2, 3, 4, 5, 6]);
    expect_eq("all that is in it", take_all(&file), [5, 3, 1, 2, 4, 6]);
    push_all(&file, &[2, 1]);
    expect_eq("read", take(&file), 1);
    push_all(&file, &[4, 3]);
    expect_eq("all that is in it", take_all(&file), [3, 2, 4]);
}

/// Negative integers follow the same rule: -3 is odd.
#[test]
fn negative_integers() {
    let _module = CONTRACT.load();
    let file = deque(10);
    let values = [-1, -2, -3, -4, i32::MIN, i32::MAX, 0, i32::MIN + 1];
    push_all(&file, &values);
    expect_eq(
        "all that is in it",
        take_all(&file),
        [i32::MIN + 1, i32::MAX, -3, -1, -2, -4, i32::MIN, 0],
    );
}

/// A write into a full deque is EACCES and changes nothing, on either side.
#[test]
fn a_full_deque() {
    let _module = CONTRACT.load();
    let file = deque(3);
    push_all(&file, &[1, 2, 3]);
    for value in [5, 6, -7, 0] {
        let done = format!("write of {value} into a full deque");
        expect_errno(&done, try_push(&file, value), error("full"));
    }
    expect_eq("read", take(&file), 3);
    push(&file, 8);
    expect_errno("write into a full deque", try_push(&file, 9), error("full"));
    expect_eq("all that is in it", take_all(&file), [1, 2, 8]);
}

/// A read from an empty deque, or before the capacity is set, is EACCES.
#[test]
fn nothing_to_read() {
    let _module = CONTRACT.load();
    let file = open();
    expect_errno(
        "read before a capacity",
        try_take(&file),
        error("uninitialised"),
    );
    set_capacity(&file, 2);
    expect_errno("read from an empty deque", try_take(&file), error("empty"));
    push(&file, 2);
    expect_eq("read", take(&file), 2);
    for _ in 0..3 {
        expect_errno("read from an empty deque", try_take(&file), error("empty"));
    }
    push(&file, 3);
    expect_eq("read", take(&file), 3);
}

/// A read of fewer than 4 bytes is EINVAL and takes nothing.
#[test]
fn a_short_read() {
    let _module = CONTRACT.load();
    let file = deque(2);
    push_all(&file, &[7, 8]);
    for len in [1, 2, 3, 0] {
        let mut bytes = vec![0x55; len];
        let done = format!("read of {len} bytes");
        expect_errno(&done, read(&file, &mut bytes), error("size"));
        expect_eq(
            "what the short buffer holds afterwards",
            bytes,
            vec![0x55; len],
        );
    }
    expect_eq("all that is in it", take_all(&file), [7, 8]);
}

/// A read of more than 4 bytes gives 4, and writes nothing behind them.
#[test]
fn a_long_read() {
    let _module = CONTRACT.load();
    let file = deque(2);
    push_all(&file, &[7, 8]);
    for value in [7i32, 8] {
        let mut bytes = [0x55; 4096];
        let n = expect_ok("read of 4096 bytes", read(&file, &mut bytes));
        expect_eq("read of 4096 bytes", n, 4);
        expect_eq("the 4 bytes", &bytes[..4], &value.to_ne_bytes()[..]);
        expect_eq(
            "bytes behind them are untouched",
            bytes[4..].iter().all(|b| *b == 0x55),
            true,
        );
    }
}

/// A read to a bad pointer is EFAULT and takes nothing.
#[test]
fn a_read_to_a_bad_pointer() {
    let _module = CONTRACT.load();
    let file = deque(2);
    let guarded = GuardPageBuffer::new();
    let not_taken = |done: &str, seen: io::Result<usize>, value: i32| {
        expect_errno(done, seen, Errno::EFAULT);
        let left = expect_ok(&format!("read after a {done}"), try_take(&file));
        expect_eq(&format!("read after a {done}"), left, value);
    };
    for bad in BadPointer::ALL {
        for len in [4, 100] {
            push(&file, 7);
            let done = format!("read of {len} bytes to {bad:?}");
            not_taken(&done, read_bad(&file, bad, len), 7);
        }
    }
    for room in 0..4 {
        push(&file, 8);
        let done = format!("read of 4 bytes to where {room} can be written");
        not_taken(&done, guarded.read(&file, room, 4), 8);
    }
    push(&file, 9);
    let done = "read of 100 bytes to where 4 can be written";
    expect_eq(done, expect_ok(done, guarded.read(&file, 4, 100)), 4);
    expect_eq(
        "what it gave",
        guarded.bytes(4),
        9i32.to_ne_bytes().to_vec(),
    );
}

/// A write from a bad pointer is EFAULT and changes nothing, the first one too.
#[test]
fn a_write_from_a_bad_pointer() {
    let _module = CONTRACT.load();
    let file = open();
    for bad in BadPointer::ALL {
        let done = format!("first write of 1 byte from {bad:?}");
        expect_errno(&done, write_bad(&file, bad, 1), Errno::EFAULT);
    }
    expect_errno(
        "read before a capacity",
        try_take(&file),
        error("uninitialised"),
    );
    set_capacity(&file, 2);
    push(&file, 2);
    for bad in BadPointer::ALL {
        let done = format!("later write of 4 bytes from {bad:?}");
        expect_errno(&done, write_bad(&file, bad, 4), Errno::EFAULT);
    }
    let guarded = GuardPageBuffer::new();
    for readable in 0..4 {
        let done = format!("write of 4 bytes of which {readable} can be read");
        let bytes = &[1; 4][..readable];
        expect_errno(&done, guarded.write(&file, bytes, 4), Errno::EFAULT);
    }
    push(&file, 3);
    expect_eq("all that is in it", take_all(&file), [3, 2]);
}

/// Whatever is written and read in turn, it is the deque of the contract: at each
/// capacity, however often it wraps around.
#[test]
fn a_long_game() {
    let _module = CONTRACT.load();
    // Any numbers; the same in every run.
    let mut seed = 0x2545_f491u32;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed
    };
    for capacity in [1, 2, 3, 7, 64, largest()] {
        let file = deque(capacity);
        let mut model = VecDeque::new();
        // Towards full, towards empty, and back.
        for step in 0..4000u32 {
            let pushes = if step / 300 % 2 == 0 { 5 } else { 3 };
            if next() % 8 < pushes {
                let value = next() as i32;
                if model.len() == usize::from(capacity) {
                    expect_errno(
                        "write into a full deque",
                        try_push(&file, value),
                        error("full"),
                    );
                } else {
                    push(&file, value);
                    put(&mut model, value);
                }
            } else {
                match model.pop_front() {
                    Some(value) => expect_eq("read", take(&file), value),
                    None => {
                        expect_errno("read from an empty deque", try_take(&file), error("empty"))
                    }
                }
            }
        }
        expect_eq("all that is left", take_all(&file), Vec::from(model));
    }
}

/// The position of the file plays no part: `pread` and `pwrite` do what `read`
/// and `write` do.
#[test]
fn reading_and_writing_at_a_position() {
    let _module = CONTRACT.load();
    let file = open();
    expect_eq(
        "pwrite of the capacity at 9",
        expect_ok("pwrite", file.write_at(&[2], 9)),
        1,
    );
    expect_eq(
        "pwrite at 1000",
        expect_ok("pwrite", file.write_at(&6i32.to_ne_bytes(), 1000)),
        4,
    );
    push(&file, 8);
    let mut bytes = [0; 4];
    expect_eq(
        "pread at 77",
        expect_ok("pread", file.read_at(&mut bytes, 77)),
        4,
    );
    expect_eq("what it gave", i32::from_ne_bytes(bytes), 6);
    expect_eq("all that is left", take_all(&file), [8]);
}
