// SPDX-License-Identifier: MIT OR Apache-2.0

//! `circbuf`: /dev/circbuf.

mod ring;

use std::{
    fs,
    io::{IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write},
    os::unix::fs::{FileExt, FileTypeExt},
    process::Command,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use koru_testing::{Module, is_loaded, kernel_may_say, unload};
use koru_tests::{
    BadPointer, Contract, Errno, GuardPageBuffer, contract, exists, expect_eq, expect_err,
    expect_errno, expect_modinfo, expect_ok, expect_out_of_range,
    files::{at_once, read_once},
    inherited_read, read_bad, send_in_flight, signalled, write_bad,
};

use ring::{MODULE, fresh, load, open, path, place, ring, write};

koru_testing::test_file!(one_cpu);

static CONTRACT: LazyLock<Contract> = contract!("circbuf");

/// The device is there while the module is loaded, and only then.
#[test]
fn comes_and_goes_with_the_module() {
    for _ in 0..2 {
        expect_eq("the device is there before insmod", exists(path()), false);
        let module = CONTRACT.load();
        let meta = expect_ok("stat", fs::metadata(path()));
        let is_device = meta.file_type().is_char_device();
        expect_eq("it is a character device", is_device, true);
        expect_ok("rmmod", module.unload());
        expect_eq("the device is there after rmmod", exists(path()), false);
    }
}

/// At load byte i is i mod 256, and there are 4096.
#[test]
fn the_content_at_load() {
    let default = usize::try_from(CONTRACT.number("default")).expect("a length");
    let most = usize::try_from(CONTRACT.number("most")).expect("a length");
    let check = |size: usize| {
        let promised: Vec<u8> = (0..size).map(|i| i as u8).collect();
        expect_eq("byte i is i mod 256", ring(size) == promised, true);
    };
    let module = CONTRACT.load();
    expect_eq(
        "a long read",
        read_once(&mut open(), 3 * most).len(),
        default,
    );
    check(default);
    drop(module);
    for size in [1, 2, 255, 256, 257, 5000, most] {
        let _module = load(size);
        check(size);
    }
}

/// Reads go on at the start when the end is reached: any size, down to one byte.
#[test]
fn reads_go_round() {
    for size in [1, 2, 3, 10, 255] {
        let _module = load(size);
        for len in 1..=size.min(12) {
            let mut file = open();
            let mut seen = Vec::new();
            while seen.len() < 3 * size + 5 {
                let part = read_once(&mut file, len);
                expect_eq(&format!("read of {len} bytes"), part.len(), len);
                seen.extend(part);
            }
            let done = format!("reads of {len} bytes, three times round a ring of {size}");
            expect_eq(&done, &seen, &fresh(size, 0, seen.len()));
        }
    }
}

/// A read gives at most as many bytes as the ring has.
#[test]
fn a_read_is_once_around_at_most() {
    let size = 10;
    let _module = load(size);
    for (start, len) in [(0, 10), (0, 11), (3, 10), (9, 4096), (10, 1 << 20)] {
        let mut file = open();
        expect_ok("lseek", file.seek(SeekFrom::Start(start)));
        let seen = read_once(&mut file, len);
        let promised = fresh(size, start as usize, size);
        expect_eq(&format!("read of {len} bytes at {start}"), &seen, &promised);
        expect_eq("the position", place(&mut file, size), start % size as u64);
    }
}

/// What is written is read, from where it was written.
#[test]
fn what_is_written_is_read() {
    let _module = load(16);
    let mut file = open();
    write(&mut file, b"hello");
    expect_eq("the position", place(&mut file, 16), 5);
    expect_ok("lseek to 0", file.rewind());
    let seen = read_once(&mut file, 8);
    expect_eq("a read", &seen, b"hello\x05\x06\x07");
    // Every byte is a byte.
    expect_ok("lseek to 2", file.seek(SeekFrom::Start(2)));
    write(&mut file, b"\0\xff\n\0");
    expect_eq("the ring", &ring(16)[..7], b"he\0\xff\n\0\x06");
}

/// A write past the end goes on at the start.
#[test]
fn writes_go_round() {
    let size = 10;
    let _module = load(size);
    let mut file = open();
    let mut promised = fresh(size, 0, size);
    let mut at = 0;
    for len in [1, 9, 3, 10, 7, 2, 10, 5, 8] {
        let bytes: Vec<u8> = (0..len).map(|i| 100 + (len * 10 + i) as u8).collect();
        write(&mut file, &bytes);
        for byte in bytes {
            promised[at % size] = byte;
            at += 1;
        }
        expect_eq("the ring", ring(size), &promised[..]);
        expect_eq("the position", place(&mut file, size), (at % size) as u64);
    }
}

/// A write that is longer than the ring goes round, and is taken whole.
#[test]
fn a_write_longer_than_the_ring() {
    for size in [1, 3, 10, 4096] {
        for (start, len) in [
            (0, size + 1),
            (0, 2 * size),
            (size - 1, 3 * size + 1),
            (1, 70_000),
        ] {
            let _module = load(size);
            let bytes: Vec<u8> = (0..len).map(|i| (i * 7 + i / 256) as u8).collect();
            let mut file = open();
            expect_ok("lseek", file.seek(SeekFrom::Start(start as u64)));
            write(&mut file, &bytes);
            let mut promised = vec![0; size];
            for (i, byte) in bytes.iter().enumerate() {
                promised[(start + i) % size] = *byte;
            }
            let done = format!("write of {len} bytes at {start} leaves the right bytes");
            expect_eq(&done, ring(size) == promised, true);
            expect_eq(
                "the position",
                place(&mut file, size),
                ((start + len) % size) as u64,
            );
        }
    }
}

/// A signal ends a write that goes round very often. What it has taken is in the ring,
/// and it says how much that is.
#[koru_testing::all_cpus]
#[test]
fn a_signal_ends_a_long_write() {
    const BUFFER: usize = 1 << 20;
    const TIMES: usize = 1000;
    let size = 1000;
    let _module = load(size);
    // A prime: each round leaves others.
    let bytes: Vec<u8> = (0..BUFFER).map(|i| (i % 251) as u8).collect();
    let all = [IoSlice::new(&bytes); TIMES];
    let mut file = open();
    let done = format!("write of {} bytes, with a signal", TIMES * BUFFER);
    // The first signals may come before the write begins.
    let written = signalled(|| file.write_vectored(&all));
    let n = expect_ok(&done, written);
    expect_eq(
        &format!("{done}, takes less than all"),
        n < TIMES * BUFFER,
        true,
    );
    let mut promised = vec![0; size];
    for i in n.saturating_sub(size)..n {
        promised[i % size] = bytes[i % BUFFER];
    }
    if n >= size {
        expect_eq(
            "the last bytes that it took are there",
            ring(size) == promised,
            true,
        );
    }
    expect_eq("the position", place(&mut file, size), (n % size) as u64);
}

/// lseek counts from the start, the position and the end, inside 0 to the size.
#[test]
fn lseek_inside() {
    let size = 100;
    let _module = load(size);
    let mut file = open();
    for (to, promised) in [
        (SeekFrom::Start(0), 0),
        (SeekFrom::Start(99), 99),
        (SeekFrom::Start(100), 100),
        (SeekFrom::Current(0), 100),
        (SeekFrom::Current(-30), 70),
        (SeekFrom::Current(30), 100),
        (SeekFrom::End(0), 100),
        (SeekFrom::End(-1), 99),
        (SeekFrom::End(-100), 0),
        (SeekFrom::Current(17), 17),
    ] {
        let done = format!("lseek to {to:?}");
        expect_eq(&done, expect_ok(&done, file.seek(to)), promised);
    }
    expect_eq("a read there", read_once(&mut file, 3), [17, 18, 19]);
    expect_ok("lseek to the end", file.seek(SeekFrom::End(0)));
    expect_eq("a read at the end", read_once(&mut file, 3), [0, 1, 2]);
    expect_ok("lseek to the end", file.seek(SeekFrom::End(0)));
    write(&mut file, b"xy");
    expect_eq(
        "the ring after a write at the end",
        &ring(size)[..3],
        b"xy\x02",
    );
}

/// lseek outside is EINVAL, and the position stays.
#[test]
fn lseek_outside() {
    let size = 100;
    let _module = load(size);
    let mut file = open();
    expect_ok("lseek to 40", file.seek(SeekFrom::Start(40)));
    for to in [
        SeekFrom::Start(101),
        SeekFrom::Start(1 << 40),
        SeekFrom::Start(i64::MAX as u64),
        SeekFrom::Current(-41),
        SeekFrom::Current(61),
        SeekFrom::Current(i64::MAX),
        SeekFrom::Current(i64::MIN),
        SeekFrom::End(1),
        SeekFrom::End(-101),
        SeekFrom::End(i64::MAX),
        SeekFrom::End(i64::MIN),
    ] {
        expect_errno(&format!("lseek to {to:?}"), file.seek(to), Errno::EINVAL);
    }
    expect_eq("the position", place(&mut file, size), 40);
    expect_eq("a read there", read_once(&mut file, 2), [40, 41]);
}

/// Openers share the ring, and have positions of their own.
#[test]
fn several_openers() {
    let _module = load(10);
    let (mut a, mut b) = (open(), open());
    expect_eq("a read of one", read_once(&mut a, 4), [0, 1, 2, 3]);
    write(&mut b, b"abcdef");
    expect_eq(
        "what the other reads on",
        read_once(&mut a, 4),
        b"ef\x06\x07",
    );
    expect_eq("and the writer", read_once(&mut b, 2), [6, 7]);
}

/// pread and pwrite go round too, and leave the position alone.
#[test]
fn pread_and_pwrite() {
    let _module = load(10);
    let mut file = open();
    expect_ok("lseek to 3", file.seek(SeekFrom::Start(3)));
    let mut four = [0; 4];
    expect_eq(
        "pread at 8",
        expect_ok("pread", file.read_at(&mut four, 8)),
        4,
    );
    expect_eq("what it gives", four, [8, 9, 0, 1]);
    expect_eq(
        "pwrite at 9",
        expect_ok("pwrite", file.write_at(b"xyz", 9)),
        3,
    );
    expect_eq("the ring", ring(10), b"yz\x02\x03\x04\x05\x06\x07\x08x");
    expect_eq("the position", place(&mut file, 10), 3);
}

/// readv and writev are one transfer over several buffers.
#[test]
fn several_buffers() {
    let _module = load(10);
    let mut file = open();
    let parts = [
        IoSlice::new(b"ab"),
        IoSlice::new(b""),
        IoSlice::new(b"cdefghijKL"),
    ];
    expect_eq(
        "writev",
        expect_ok("writev", file.write_vectored(&parts)),
        12,
    );
    expect_eq("the ring", ring(10), b"KLcdefghij");
    let (mut x, mut y) = ([0; 3], [0; 7]);
    let mut parts = [&mut x[..], &mut y].map(IoSliceMut::new);
    expect_eq(
        "readv",
        expect_ok("readv", file.read_vectored(&mut parts)),
        10,
    );
    expect_eq("the first buffer", &x, b"cde");
    expect_eq("the second", &y, b"fghijKL");
}

/// `dd bs=1` and `head` read it like any file.
#[test]
fn tools() {
    let _module = load(10);
    let run = |script: &str| {
        let script = script.replace("FILE", path());
        let output = Command::new("sh").args(["-c", &script]).output();
        let output = expect_ok(&script, output);
        expect_eq(&format!("{script} succeeds"), output.status.success(), true);
        output.stdout
    };
    expect_eq(
        "dd bs=1",
        run("dd if=FILE bs=1 count=13 2>/dev/null"),
        fresh(10, 0, 13),
    );
    let skip = run("dd if=FILE bs=1 skip=7 count=5 2>/dev/null");
    expect_eq("dd bs=1 skip=7", skip, fresh(10, 7, 5));
    expect_eq("head -c 25", run("head -c 25 FILE"), fresh(10, 0, 25));
    run("printf hello > FILE");
    expect_eq("head -c 6", run("head -c 6 FILE"), b"hello\x05");
}

/// Reads and writes of no bytes give 0 and change nothing.
#[test]
fn transfers_of_nothing() {
    let _module = load(10);
    let mut file = open();
    read_once(&mut file, 4);
    expect_eq("read of 0 bytes", expect_ok("read", file.read(&mut [])), 0);
    expect_eq("write of 0 bytes", expect_ok("write", file.write(&[])), 0);
    expect_eq("the position", place(&mut file, 10), 4);
    expect_eq("the ring", ring(10), fresh(10, 0, 10));
}

/// A bad address is EFAULT, takes nothing and changes nothing.
#[test]
fn bad_addresses() {
    let _module = load(100);
    let mut file = open();
    expect_ok("lseek to 60", file.seek(SeekFrom::Start(60)));
    let memory = GuardPageBuffer::new();
    for bad in BadPointer::ALL {
        for len in [1, 50, 100, 5000] {
            let done = format!("read of {len} bytes to a bad address ({bad:?})");
            expect_errno(&done, read_bad(&file, bad, len), Errno::EFAULT);
            let done = format!("write of {len} bytes from a bad address ({bad:?})");
            expect_errno(&done, write_bad(&file, bad, len), Errno::EFAULT);
        }
    }
    // Only a part is there, also a part that is longer than the ring.
    for there in [0, 1, 49, 150, 4000] {
        let done = format!("write of {} bytes of which {there} are there", there + 50);
        let bytes = vec![b'!'; there];
        expect_errno(
            &done,
            memory.write(&file, &bytes, there + 50),
            Errno::EFAULT,
        );
    }
    expect_eq("the position", place(&mut file, 100), 60);
    expect_eq("the ring", ring(100), fresh(100, 0, 100));
    let n = expect_ok("read up to the last byte", memory.read(&file, 5, 5));
    expect_eq("read up to the last byte", n, 5);
    expect_eq("what it gives", memory.bytes(5), [60, 61, 62, 63, 64]);
}

/// A read into a buffer of which only a part is there loses nothing.
#[test]
fn buffers_that_end_early() {
    let _module = load(100);
    let memory = GuardPageBuffer::new();
    for room in [0, 1, 20, 49] {
        let mut file = open();
        let done = format!("read of 50 bytes where {room} can be written");
        let n = match memory.read(&file, room, 50) {
            Ok(n) => {
                expect_eq(&format!("{done} is more"), n == 0 || n > room, false);
                expect_eq(
                    "what it gives",
                    &memory.bytes(room)[..n],
                    &fresh(100, 0, n)[..],
                );
                n
            }
            Err(e) => {
                expect_errno(&done, Err::<(), _>(e), Errno::EFAULT);
                0
            }
        };
        expect_eq("the position after it", place(&mut file, 100), n as u64);
    }
}

/// Whoever has the descriptor - a duplicate, a child, a thread, a process that it
/// was sent to - goes on where the last one was.
#[koru_testing::all_cpus]
#[test]
fn descriptors_share_a_position() {
    let _module = load(10);
    let mut file = open();
    let mut seen = read_once(&mut file, 3);
    let mut second = expect_ok("dup", file.try_clone());
    drop(file);
    seen.extend(read_once(&mut second, 3));
    seen.extend(inherited_read(&second, "dd bs=1 count=3 2>/dev/null"));
    let mut third = send_in_flight(second)();
    seen.extend(read_once(&mut third, 3));
    let thread = thread::spawn(move || read_once(&mut third, 3));
    seen.extend(thread.join().expect("the thread read"));
    expect_eq("five reads in turn", seen, fresh(10, 0, 15));
}

/// `size` is 1 to 1048576; with any other value loading fails with EINVAL.
#[test]
fn sizes_out_of_bounds() {
    let most = CONTRACT.number("most");
    for size in [0, -1, most + 1, 2 * most, i64::from(i32::MAX)] {
        let param = format!("size={size}");
        let loaded = Module::load(MODULE, &[&param]);
        expect_errno(&format!("insmod with {param}"), loaded, Errno::EINVAL);
        expect_eq("it is loaded", is_loaded(MODULE), false);
        expect_eq("the device is there", exists(path()), false);
    }
}

/// The size can be read under /sys/module.
#[test]
fn size_in_sys() {
    for size in [1, 777] {
        let _module = load(size);
        let value = fs::read_to_string("/sys/module/circbuf/parameters/size");
        let value = expect_ok("reading it", value);
        expect_eq("size", value.trim_end(), size.to_string());
    }
}

/// A module that is loaded again has a fresh ring.
#[test]
fn starts_again_with_the_module() {
    let module = load(10);
    write(&mut open(), b"before");
    expect_ok("rmmod", module.unload());
    let _module = load(10);
    expect_eq("the ring", ring(10), fresh(10, 0, 10));
}

/// While the device is open rmmod is refused, whoever holds it; and it works on.
#[test]
fn unload_while_open() {
    let module = load(10);
    let sent = send_in_flight(open());
    expect_errno("rmmod while it is open", unload(MODULE), Errno::EWOULDBLOCK);
    expect_eq("it is still loaded", is_loaded(MODULE), true);
    let mut file = sent();
    expect_eq("a read after that", read_once(&mut file, 3), [0, 1, 2]);
    drop(file);
    expect_ok("rmmod after close", module.unload());
    expect_eq("the device is there after rmmod", exists(path()), false);
}

/// A second insmod is EEXIST and changes nothing.
#[test]
fn loading_twice() {
    let _module = load(10);
    write(&mut open(), b"mine");
    let second = Module::load(MODULE, &[]);
    expect_errno("insmod of a loaded module", second, Errno::EEXIST);
    expect_eq("the ring", &ring(10)[..5], b"mine\x04");
}

/// When the device's name is taken the load fails, and the other's device stays.
#[test]
fn a_name_that_is_taken() {
    // What misc_register itself says about it.
    kernel_may_say("duplicate filename");
    let name = path().strip_prefix("/dev/").expect("a device in /dev");
    let other = Module::load("misc_test", &[&format!("name={name}")]);
    let other = expect_ok("insmod of another", other);
    let number = || {
        use std::os::unix::fs::MetadataExt;
        expect_ok("stat of the other's device", fs::metadata(path())).rdev()
    };
    let before = number();
    expect_err(
        "insmod when the device is there already",
        Module::load(MODULE, &[]),
    );
    expect_eq("it is loaded after that", is_loaded(MODULE), false);
    expect_eq("the other's device", number(), before);
    expect_ok("rmmod of the other", other.unload());
    expect_eq("the device is there after both", exists(path()), false);
    drop(load(10));
}

/// Every read sees all of a write or nothing of it, and every write stays whole.
#[koru_testing::all_cpus]
#[test]
fn races() {
    const SIZE: usize = 3000;
    let _module = load(SIZE);
    expect_ok("a write", open().write_at(&[b'-'; SIZE], 0));
    let done = AtomicBool::new(false);
    let reader = || {
        let file = open();
        while !done.load(Ordering::Relaxed) {
            let mut bytes = [0; SIZE];
            expect_ok("pread of the ring", file.read_at(&mut bytes, 1234));
            let mixed = bytes.iter().any(|b| *b != bytes[0]);
            expect_eq("a read sees parts of two writes", mixed, false);
        }
    };
    let writer = |letter: u8| {
        let file = open();
        for n in 0..500 {
            // Once around, from anywhere.
            let n = file.write_at(&[letter; SIZE], n * 7 % SIZE as u64);
            expect_eq("a write of the ring", expect_ok("pwrite", n), SIZE);
        }
    };
    thread::scope(|s| {
        let readers: Vec<_> = (0..3).map(|_| s.spawn(reader)).collect();
        let writers = (b'a'..b'd').map(|l| s.spawn(move || writer(l)));
        let writers: Vec<_> = writers.collect();
        let mut panics = Vec::new();
        panics.extend(writers.into_iter().filter_map(|t| t.join().err()));
        done.store(true, Ordering::Relaxed);
        panics.extend(readers.into_iter().filter_map(|t| t.join().err()));
        if let Some(panic) = panics.pop() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Two hundred processes that write and read at once see whole writes.
#[koru_testing::all_cpus]
#[test]
fn two_hundred_processes() {
    let _module = load(10);
    expect_ok("a write", open().write_at(&[b'a'; 10], 0));
    let script = |i: usize| {
        let letter = char::from(b'a' + (i % 26) as u8).to_string();
        let text = letter.repeat(10);
        format!(
            "printf {text} > {0} && exec dd if={0} bs=10 count=1 2>/dev/null",
            path()
        )
    };
    for output in at_once(200, script) {
        expect_eq("one of 200 succeeds", output.status.success(), true);
        let seen = output.stdout;
        let whole = seen.len() == 10 && seen.iter().all(|b| *b == seen[0]);
        expect_eq("what one of 200 reads is one write", whole, true);
    }
}

/// `modinfo` shows license, author, description, version and the parameter.
#[test]
fn modinfo_tells_who_and_what() {
    expect_modinfo(MODULE, &["size"]);
}

/// A number that is too large for the parameter is refused.
#[test]
fn numbers_too_large() {
    expect_out_of_range(MODULE, &["size"]);
}
