// SPDX-License-Identifier: MIT OR Apache-2.0

//! `hello_proc`: /proc/hello.

use std::{
    fs::{self, File, OpenOptions},
    io::{Seek, SeekFrom, Write},
    os::unix::fs::{FileExt, PermissionsExt},
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use koru_tests::{
    BadPointer, Contract, Errno, GuardPageBuffer, contract, expect_eq, expect_errno,
    expect_modinfo, expect_ok, fail_requirement,
    files::{self, Served, as_nobody, at_once, read_all, read_once, read_rest, text},
    send_in_flight, write_bad,
};

koru_testing::test_file!(one_cpu);

static CONTRACT: LazyLock<Contract> = contract!("hello_proc");

fn path() -> &'static str {
    CONTRACT.text("file")
}

/// The file before anyone writes to it.
fn file() -> Served<'static> {
    Served::constant(&CONTRACT, path(), CONTRACT.text("message"))
}

#[track_caller]
fn open() -> File {
    let opened = OpenOptions::new().read(true).write(true).open(path());
    expect_ok("open for reading and writing", opened)
}

/// A write on a descriptor of its own, of all bytes.
#[track_caller]
fn write(bytes: &[u8]) {
    let done = format!("write of {} bytes", bytes.len());
    expect_eq(&done, expect_ok(&done, open().write(bytes)), bytes.len());
}

#[track_caller]
fn says(done: &str, message: &[u8]) {
    expect_eq(done, text(&read_all(path())), text(message));
}

fn limit() -> usize {
    usize::try_from(CONTRACT.number("limit")).expect("a length")
}

/// What is written is read, byte for byte.
#[test]
fn what_is_written_is_read() {
    let _module = CONTRACT.load();
    let all_bytes: Vec<u8> = (0..=255).collect();
    let mut messages: Vec<&[u8]> = vec![b"hi\n", b"x", b"no newline at the end", b"\n"];
    // NUL is a byte like another, and so are those which are no text.
    messages.extend([&b"a\0b"[..], b"\0", b"\0\0\0", b"\xff\xfe", b"%s%n%d"]);
    messages.extend(all_bytes.chunks(limit().min(64)));
    for message in messages {
        write(message);
        let seen = read_all(path());
        expect_eq("a read after a write", seen, message);
    }
}

/// From a shell: `echo` writes a message, and `cat` reads it.
#[test]
fn echo_and_cat() {
    let _module = CONTRACT.load();
    let run = |script: &str| as_nobody(&script.replace("FILE", path()));
    expect_eq(
        "echo succeeds",
        run("echo hi there > FILE").status.success(),
        true,
    );
    expect_eq("cat", text(&run("head -c 500 FILE").stdout), "hi there\n");
    expect_eq(
        "echo succeeds",
        run("echo again >> FILE").status.success(),
        true,
    );
    expect_eq("cat", text(&run("head -c 500 FILE").stdout), "again\n");
}

/// A write replaces the whole message: nothing of a longer one is left.
#[test]
fn a_shorter_message_leaves_nothing_behind() {
    let _module = CONTRACT.load();
    for len in (1..=limit()).rev() {
        let message = vec![b'a' + (len % 26) as u8; len];
        write(&message);
        says("a read after a shorter write", &message);
    }
}

/// A message of 100 bytes is whole; one of 101 is EMSGSIZE and changes nothing.
#[test]
fn the_longest_message() {
    let _module = CONTRACT.load();
    let longest = vec![b'm'; limit()];
    write(&longest);
    says("a read after the longest write", &longest);
    for len in [limit() + 1, limit() + 2, 4096, 1 << 20] {
        let done = format!("write of {len} bytes");
        expect_errno(
            &done,
            open().write(&vec![b'!'; len]),
            CONTRACT.errno("errors.too_long"),
        );
        says("a read after a write that is too long", &longest);
    }
    // Readers of any size still live.
    expect_eq("reads of 1 byte", read_rest(&mut open(), 1), longest);
}

/// A write of no bytes gives 0 and changes nothing.
#[test]
fn a_write_of_nothing() {
    let _module = CONTRACT.load();
    expect_eq(
        "write of 0 bytes",
        expect_ok("write of 0 bytes", open().write(b"")),
        0,
    );
    says("a read after it", CONTRACT.text("message").as_bytes());
    write(b"something");
    expect_eq(
        "write of 0 bytes",
        expect_ok("write of 0 bytes", open().write(b"")),
        0,
    );
    says("a read after it", b"something");
}

/// A write is the whole message wherever in the file it is made.
#[test]
fn a_write_at_an_offset() {
    let _module = CONTRACT.load();
    let mut file = open();
    for at in [0, 1, 5, 99, 100, 101, 4096, 1 << 31, i64::MAX as u64 - 1000] {
        let message = format!("written at {at}");
        let done = format!("pwrite at {at}");
        let n = expect_ok(&done, file.write_at(message.as_bytes(), at));
        expect_eq(&done, n, message.len());
        says(&format!("a read after {done}"), message.as_bytes());
    }
    expect_ok("lseek to 50", file.seek(SeekFrom::Start(50)));
    expect_ok("write after lseek", file.write(b"after lseek"));
    says("a read after it", b"after lseek");
    expect_ok("a second write", file.write(b"next"));
    says("a read after it", b"next");
    let append = OpenOptions::new().append(true).open(path());
    expect_ok(
        "write with O_APPEND",
        expect_ok("open", append).write(b"appended"),
    );
    says("a read after it", b"appended");
    let truncate = OpenOptions::new().write(true).truncate(true).open(path());
    drop(expect_ok("open with O_TRUNC", truncate));
    says("a read after O_TRUNC alone", b"appended");
}

/// A write moves the position by its length; after lseek to the start the same
/// descriptor reads what it wrote.
#[test]
fn one_descriptor_for_both() {
    let _module = CONTRACT.load();
    let mut file = open();
    expect_ok("write", file.write(b"0123456789"));
    expect_eq(
        "the position",
        expect_ok("lseek by 0", file.stream_position()),
        10,
    );
    expect_ok("lseek to the start", file.rewind());
    expect_eq("a read", text(&read_rest(&mut file, 3)), "0123456789");
    // pwrite has a position of its own.
    expect_ok("pwrite", file.write_at(b"ab", 70));
    expect_eq(
        "the position",
        expect_ok("lseek by 0", file.stream_position()),
        10,
    );
}

/// Who began to read a message reads it to its end, though others write.
#[test]
fn a_message_that_was_begun() {
    let _module = CONTRACT.load();
    write(b"the first message");
    for size in 1..5 {
        let mut file = open();
        let mut seen = read_once(&mut file, size);
        loop {
            write(b"THE SECOND ONE, WHICH IS LONGER");
            match read_once(&mut file, size) {
                part if part.is_empty() => break,
                part => seen.extend(part),
            }
        }
        let done = format!("reads of {size} bytes, with a write after the first");
        expect_eq(&done, text(&seen), "the first message");
        write(b"the first message");
    }
}

/// Who began to read a message reads it to its end, whatever is done meanwhile on the
/// same descriptor that gives nobody anything.
#[test]
fn a_message_that_was_begun_is_not_disturbed() {
    let _module = CONTRACT.load();
    let messages: [&[u8]; 2] = [b"the first message", b"THE SECOND ONE, WHICH IS LONGER"];
    for message in messages {
        write(message);
        let change = || write(b"something else");
        files::disturbed_reads(path(), change, |done, seen, begun| {
            expect_eq(done, text(seen), text(begun));
            write(message);
        });
    }
}

/// A pread at an offset does not bring back a message that was replaced meanwhile.
#[koru_testing::all_cpus]
#[test]
fn a_slow_pread_puts_no_message_back() {
    let _module = CONTRACT.load();
    let change = || write(b"THE SECOND ONE, WHICH IS LONGER");
    files::a_slow_pread_puts_nothing_back(path(), change, |done, seen| {
        expect_eq(done, text(seen), "THE SECOND ONE, WHICH IS LONGER");
        write(b"the first message");
    });
}

/// A write from a bad address is EFAULT and changes nothing.
#[test]
fn bad_writes() {
    let _module = CONTRACT.load();
    let file = open();
    let memory = GuardPageBuffer::new();
    let faults = |message: &[u8]| {
        for bad in BadPointer::ALL {
            for len in [1, 12, limit()] {
                let done = format!("write of {len} bytes from a bad address ({bad:?})");
                expect_errno(&done, write_bad(&file, bad, len), Errno::EFAULT);
            }
        }
        for bytes in [&b""[..], b"x", b"0123456789"] {
            let done = format!("write of 50 bytes of which {} are there", bytes.len());
            expect_errno(&done, memory.write(&file, bytes, 50), Errno::EFAULT);
        }
        says("a read after EFAULTs", message);
    };
    faults(CONTRACT.text("message").as_bytes());
    write(b"good");
    faults(b"good");
    // What lies behind the last byte is not looked at.
    expect_eq(
        "write up to the last byte",
        expect_ok("write", memory.write(&file, b"end", 3)),
        3,
    );
    says("a read after it", b"end");
}

/// The file has mode 0666: everybody reads and writes it.
#[test]
fn everybody_reads_and_writes() {
    let _module = CONTRACT.load();
    let mode = expect_ok("stat", fs::metadata(path())).permissions().mode() & 0o7777;
    let promised = CONTRACT.number("mode");
    expect_eq("the mode", format!("{mode:04o}"), format!("{promised:04o}"));
    let write = as_nobody(&format!("echo nobody > {}", path()));
    expect_eq("nobody can write it", write.status.success(), true);
    let read = as_nobody(&format!("head -c 500 {}", path()));
    expect_eq("nobody can read it", text(&read.stdout), "nobody\n");
}

/// Loaded again, it says hello again.
#[test]
fn starts_again_with_the_module() {
    let module = CONTRACT.load();
    write(b"before");
    expect_ok("rmmod", module.unload());
    let _module = CONTRACT.load();
    says("a read after insmod", CONTRACT.text("message").as_bytes());
}

/// A descriptor that was passed on, or that a child got, writes like any other.
#[koru_testing::all_cpus]
#[test]
fn writes_by_others() {
    let _module = CONTRACT.load();
    let mut sent = send_in_flight(open())();
    expect_ok("write by who was sent it", sent.write(b"sent"));
    says("a read after it", b"sent");
    let mut child = std::process::Command::new("sh");
    child.args(["-c", "printf inherited"]).stdout(sent);
    expect_eq(
        "a child's printf",
        expect_ok("a child", child.status()).success(),
        true,
    );
    drop(child);
    says("a read after it", b"inherited");
    let mut file = open();
    let thread = thread::spawn(move || file.write(b"a thread"));
    expect_ok("write by a thread", thread.join().expect("the thread"));
    says("a read after it", b"a thread");
}

/// Messages for the races: of one letter only, which says how long it is.
fn message(n: usize) -> Vec<u8> {
    let letter = n % 26;
    let len = 1 + (letter * 37) % limit();
    vec![b'a' + letter as u8; len]
}

/// Whether it is one of them: not another's length, nor a mix.
#[track_caller]
fn is_message(done: &str, seen: &[u8]) {
    let hello = seen == CONTRACT.text("message").as_bytes();
    let first = seen.first().filter(|b| b.is_ascii_lowercase());
    if !hello && first.is_none_or(|b| message((b - b'a').into()) != seen) {
        fail_requirement(
            done,
            "one whole message of a writer",
            &format!("{:?}", text(seen)),
        );
    }
}

/// Readers that race with writers, in one call or in pieces, see one whole message
/// each; every writer is told its own length.
#[koru_testing::all_cpus]
#[test]
fn racing_readers_and_writers() {
    let _module = CONTRACT.load();
    let done = AtomicBool::new(false);
    let shared = open();
    let writer = |i: usize| {
        let own = open();
        let file = if i % 2 == 0 { &own } else { &shared };
        for n in 0..8000 {
            let message = message(n * 7 + i);
            let written = expect_ok("a write", file.write_at(&message, 0));
            expect_eq("what a racing write returns", written, message.len());
        }
    };
    let reader = |i: usize| {
        while !done.load(Ordering::Relaxed) {
            let seen = match i {
                0 => read_rest(&mut open(), 1),
                1 => read_rest(&mut open(), 7),
                _ => read_all(path()),
            };
            is_message("a read amid writes", &seen);
            let mut buffer = [0; 4096];
            let n = expect_ok("pread", shared.read_at(&mut buffer, 0));
            is_message("a pread amid writes", buffer.get(..n).unwrap_or_default());
        }
    };
    thread::scope(|s| {
        let readers: Vec<_> = (0..4).map(|i| s.spawn(move || reader(i))).collect();
        let writers: Vec<_> = (0..4).map(|i| s.spawn(move || writer(i))).collect();
        let mut panics = Vec::new();
        panics.extend(writers.into_iter().filter_map(|t| t.join().err()));
        done.store(true, Ordering::Relaxed);
        panics.extend(readers.into_iter().filter_map(|t| t.join().err()));
        if let Some(panic) = panics.pop() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Two hundred processes that write and read at once each see whole messages.
#[koru_testing::all_cpus]
#[test]
fn two_hundred_writers() {
    let _module = CONTRACT.load();
    let script = |n: usize| {
        let message = text(&message(n));
        format!("printf {message} > {0} && exec head -c 500 {0}", path())
    };
    for output in at_once(200, script) {
        expect_eq("one of 200 succeeds", output.status.success(), true);
        is_message("what one of 200 reads", &output.stdout);
    }
    is_message("a read after all", &read_all(path()));
}

/// After the module is unloaded an open file cannot be written either.
#[test]
fn write_after_unload() {
    files::write_after_unload(&file());
}

/// The module can be unloaded while others open and write the file.
#[koru_testing::all_cpus]
#[test]
fn unload_under_writers() {
    files::unload_under_writers(&file(), b"a message");
}

/// The file is there while the module is loaded, and only then.
#[test]
fn comes_and_goes_with_the_module() {
    files::comes_and_goes(&file());
}

/// Reads of any size, down to one byte at a time, give the whole message.
#[test]
fn reads_of_any_size() {
    files::reads_of_any_size(&file());
}

/// Reads of different sizes in turn give the whole message.
#[test]
fn reads_of_mixed_sizes() {
    files::reads_of_mixed_sizes(&file());
}

/// The end stays the end for as often as one reads; the next open starts again.
#[test]
fn ends_and_starts_again() {
    files::ends_and_starts_again(&file());
}

/// Two open files have positions of their own.
#[test]
fn positions_of_their_own() {
    files::positions_of_their_own(&file());
}

/// pread gives what is at its offset, and leaves the position alone.
#[test]
fn preads() {
    files::preads(&file());
}

/// lseek works: back at the start, the file is read anew; before it is EINVAL.
#[test]
fn lseek_works() {
    files::seeks(&file());
}

/// `dd bs=1` copies the message.
#[test]
fn dd_byte_by_byte() {
    files::dd_byte_by_byte(&file());
}

/// A read of no bytes gives 0 and changes nothing.
#[test]
fn reads_of_nothing() {
    files::reads_of_nothing(&file());
}

/// A read to a bad address is EFAULT and takes nothing.
#[test]
fn bad_addresses() {
    files::bad_reads(&file());
}

/// Where a buffer ends early, no byte is lost.
#[test]
fn buffers_that_end_early() {
    files::buffers_that_end_early(&file());
}

/// Whoever has the descriptor - a duplicate, a child, a thread, a process that it
/// was sent to - goes on where the last one was.
#[koru_testing::all_cpus]
#[test]
fn descriptors_share_a_position() {
    files::descriptors_share_a_position(&file());
}

/// The module can be unloaded while the file is open; reads are EIO from then on.
#[test]
fn unload_while_open() {
    files::unload_while_open(&file());
}

/// The module can be unloaded while others open and read the file.
#[koru_testing::all_cpus]
#[test]
fn unload_under_readers() {
    files::unload_under_readers(&file());
}

/// A second insmod is EEXIST and changes nothing.
#[test]
fn loading_twice() {
    files::loading_twice(&file(), "hello_proc");
}

/// When the file's name is taken the load fails, and the other's file stays.
#[test]
fn a_name_that_is_taken() {
    files::taken_name(&file(), "hello_proc", "kt_same_file");
}

/// Two hundred processes that read at once each get the message.
#[koru_testing::all_cpus]
#[test]
fn two_hundred_processes() {
    files::two_hundred_processes(&file());
}

/// Threads that read at once, on one descriptor too, each get the message.
#[koru_testing::all_cpus]
#[test]
fn racing_threads() {
    files::racing_threads(&file());
}

/// `modinfo` shows license, author, description and version.
#[test]
fn modinfo_tells_who_and_what() {
    expect_modinfo("hello_proc", &[]);
}
