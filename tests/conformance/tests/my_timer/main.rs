// SPDX-License-Identifier: MIT OR Apache-2.0

//! `my_timer`: the time of day, and how long ago it was last read.

mod readings;

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    process::Command,
    sync::LazyLock,
    thread,
    time::Duration,
};

use koru_testing::Module;
use koru_tests::{
    BadPointer, Contract, Errno, GuardPageBuffer, RealTime, SlowMemory, contract, expect_eq,
    expect_errno, expect_modinfo, expect_ok, fail_requirement,
    files::{self, Served, read_rest},
    inherited_read, read_bad, send_in_flight,
};

use readings::{Reading, SECOND, assert_chain, at_the_end, cat, collect, parse, read, seconds};

static CONTRACT: LazyLock<Contract> = contract!("my_timer");

fn path() -> &'static str {
    CONTRACT.text("file")
}

/// The file as others are: each content is a reading.
fn file() -> Served<'static> {
    Served {
        contract: &CONTRACT,
        path: path(),
        whole: Some(Box::new(|_, seen| _ = parse(seen))),
    }
}

fn timer() -> Module {
    CONTRACT.load()
}

#[track_caller]
fn open() -> File {
    expect_ok(&format!("opening {}", path()), File::open(path()))
}

/// The file appears when the module is loaded, and goes when it is unloaded.
#[test]
fn appears_and_goes_with_the_module() {
    files::comes_and_goes(&file());
}

/// The first read shows the current time only; from the second on there is also the
/// time elapsed since the read before, to the nanosecond.
#[test]
fn the_first_read_has_one_line_the_next_two() {
    let _module = timer();
    let first = cat();
    first.is_first("the first cat");
    thread::sleep(Duration::from_millis(300));
    let second = cat();
    second.follows("the second cat, 0.3 s later", &first);
    expect_eq(
        "the elapsed time after 0.3 s is at least that",
        second.elapsed >= Some(300_000_000),
        true,
    );
    cat().follows("the third cat", &second);
}

/// The current time is the time of day.
#[test]
fn it_is_the_time_of_day() {
    let _module = timer();
    let now = || {
        let t = std::time::SystemTime::UNIX_EPOCH.elapsed();
        t.expect("after 1970").as_nanos() as i128
    };
    let before = now();
    let reading = cat();
    let after = now();
    if !(before..=after).contains(&reading.current) {
        fail_requirement(
            "cat",
            &format!("a time from {} to {}", seconds(before), seconds(after)),
            &seconds(reading.current),
        );
    }
}

/// After it is unloaded and loaded again, the next read is a first one.
#[test]
fn loading_again_starts_again() {
    let module = timer();
    cat();
    expect_ok("rmmod", module.unload());
    let _module = timer();
    cat().is_first("cat after rmmod and insmod");
}

/// Reading byte by byte gives one whole reading, whatever others read meanwhile.
#[test]
fn byte_by_byte_is_one_reading() {
    let _module = timer();
    cat();
    let before = read(&open());
    let mut slow = open();
    let mut byte = [0];
    expect_ok("a read of 1 byte", slow.read_exact(&mut byte));
    // What was begun stays whole.
    let other = read(&open());
    let mut text = byte.to_vec();
    text.extend(read_rest(&mut slow, 1));
    let slow_reading = parse(&text);
    slow_reading.follows("reading byte by byte", &before);
    other.follows("a read after that one was begun", &slow_reading);
    // The end is the end, for as often as one asks.
    at_the_end("once", &mut slow);
    at_the_end("and again", &mut slow);
    read(&open()).follows("the next read", &other);
}

/// Reads of any size, from one byte to a megabyte, give together the whole text.
#[test]
fn all_sizes_give_the_whole_content() {
    let _module = timer();
    let mut last = cat();
    for size in (1..=80).chain([4095, 4096, 4097, 1 << 20]) {
        let reading = parse(read_rest(&mut open(), size));
        reading.follows(&format!("reading by {size} bytes"), &last);
        last = reading;
    }
}

/// Two readers at the same time each get a whole text of their own.
#[test]
fn two_files_have_positions_of_their_own() {
    let _module = timer();
    cat();
    let (mut a, mut b) = (open(), open());
    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    loop {
        let mut byte = [0];
        let n = expect_ok("a read of 1 byte", a.read(&mut byte));
        of_a.extend(&byte[..n]);
        let m = expect_ok("a read of 1 byte", b.read(&mut byte));
        of_b.extend(&byte[..m]);
        // A file that never ends is no text either.
        if n + m == 0 || of_a.len() > 4096 {
            break;
        }
    }
    parse(&of_b).follows("the second of two, byte by byte in turn", &parse(&of_a));
}

/// pread at an offset gives the rest of the last reading from there, takes no new
/// reading, and leaves the file position alone.
#[test]
fn pread_at_offsets() {
    let _module = timer();
    cat();
    let mut file = open();
    let text = read_rest(&mut file, 4096);
    let reading = parse(&text);
    for at in 1..text.len() + 3 {
        let mut buffer = [0; 7];
        let done = format!("pread of 7 bytes at {at} of {}", text.len());
        let n = expect_ok(&done, file.read_at(&mut buffer, at as u64));
        let rest = text.get(at..).unwrap_or_default();
        let seen = String::from_utf8_lossy(&buffer[..n]);
        expect_eq(
            &done,
            &*seen,
            &*String::from_utf8_lossy(&rest[..rest.len().min(7)]),
        );
    }
    at_the_end("after these", &mut file);
    let next = read(&file);
    next.follows("pread at 0 afterwards", &reading);
    at_the_end("after it", &mut file);
}

/// pread far behind the end gives nothing and takes no reading.
#[test]
fn a_far_offset_is_the_end_and_no_reading() {
    let _module = timer();
    let first = cat();
    let file = open();
    for at in [200, 4096, 1 << 31, 1 << 40, i64::MAX as u64 - 10] {
        let done = format!("pread at {at}");
        expect_eq(&done, expect_ok(&done, file.read_at(&mut [0; 8], at)), 0);
    }
    read(&file).follows("the next read", &first);
}

/// A pread behind the end begins nothing: what is read afterwards, at an offset even,
/// is a reading of its own.
#[test]
fn behind_the_end_nothing_is_begun() {
    let _module = timer();
    cat();
    let file = open();
    let done = "pread at 4096";
    expect_eq(done, expect_ok(done, file.read_at(&mut [0; 8], 4096)), 0);
    let last = read(&open());
    let start = CONTRACT.text("current");
    let done = format!("pread at {} after a pread at 4096", start.len());
    let mut rest = [0; 4096];
    let n = expect_ok(&done, file.read_at(&mut rest, start.len() as u64));
    let whole = [start.as_bytes(), &rest[..n]].concat();
    parse(whole).follows(&done, &last);
}

/// A pread at an offset that takes long does not take the place of a reading that was
/// begun meanwhile on the same descriptor.
#[test]
fn a_slow_pread_puts_nothing_in_a_readings_place() {
    let _module = timer();
    cat();
    let file = open();
    let memory = SlowMemory::new();
    let read_at = |at| {
        let mut bytes = [0; 4096];
        let n = expect_ok("pread of 4096 bytes", file.read_at(&mut bytes, at));
        bytes[..n].to_vec()
    };
    let (slow, begun) = memory.while_blocked(|| memory.pread(&file, 0, 1, 1), || read_at(0));
    expect_eq("a slow pread of 1 byte", expect_ok("a slow pread", slow), 1);
    parse(&begun);
    let rest = files::text(&read_at(1));
    expect_eq("the rest of the reading", rest, files::text(&begun[1..]));
}

/// After lseek to the start the next read is a new reading; after lseek elsewhere it
/// goes on with the one before.
#[test]
fn seeking_back_gives_a_new_reading() {
    let _module = timer();
    let mut file = open();
    let first = parse(read_rest(&mut file, 4096));
    expect_ok("lseek to 0", file.seek(SeekFrom::Start(0)));
    let second = parse(read_rest(&mut file, 4096));
    second.follows("reading after lseek to 0", &first);
    cat().follows("somebody else's read", &second);
    let at = CONTRACT.text("current").len() as u64;
    expect_ok("lseek to the number", file.seek(SeekFrom::Start(at)));
    let tail = read_rest(&mut file, 4096);
    let line = format!("{}\n", seconds(second.current));
    let tail = String::from_utf8_lossy(&tail);
    let done = format!("reading after lseek to {at}");
    expect_eq(&done, tail.starts_with(&line), true);
    let end = at + tail.len() as u64;
    expect_eq(
        "the position afterwards",
        expect_ok("lseek by 0", file.stream_position()),
        end,
    );
    expect_errno(
        "lseek to before the start",
        file.seek(SeekFrom::Current(-1000)),
        Errno::EINVAL,
    );
}

/// `dd bs=1` gives one whole reading, and its `skip` and `count` work.
#[test]
fn dd_byte_by_byte() {
    let _module = timer();
    let first = cat();
    let dd = |args: &[&str]| {
        let mut command = Command::new("dd");
        let output = command.arg(format!("if={}", path())).args(args).output();
        let output = output.expect("the guest has dd");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        expect_eq(
            &format!("dd {} (it said {said:?})", args.join(" ")),
            output.status.success(),
            true,
        );
        output.stdout
    };
    parse(dd(&["bs=1"])).follows("dd bs=1", &first);
    let word = &CONTRACT.text("current")[..5];
    let skipped = dd(&["bs=1", "skip=1", "count=4"]);
    expect_eq(
        "dd bs=1 skip=1 count=4",
        &*String::from_utf8_lossy(&skipped),
        &word[1..],
    );
}

/// A read of 0 bytes gives 0 and takes no reading.
#[test]
fn a_read_of_nothing_is_no_reading() {
    let _module = timer();
    let mut file = open();
    let nothing = |file: &mut File| {
        expect_eq(
            "a read of 0 bytes",
            expect_ok("a read of 0 bytes", file.read(&mut [])),
            0,
        )
    };
    nothing(&mut file);
    read(&open()).is_first("the read after a read of 0 bytes");
    let last = read(&open());
    for _ in 0..3 {
        nothing(&mut file);
    }
    let next = read(&open());
    next.follows("the read after three reads of 0 bytes", &last);
    let whole = parse(read_rest(&mut file, 4096));
    whole.follows("reading the file that they were made on", &next);
}

/// A read to a bad address is EFAULT and takes no reading: the reference time stays.
#[test]
fn a_bad_pointer_is_efault_and_no_reading() {
    let _module = timer();
    let mut file = open();
    for bad in BadPointer::ALL {
        for len in [1, 4096, 1 << 20] {
            expect_errno(
                &format!("a read of {len} bytes to a bad address ({bad:?})"),
                read_bad(&file, bad, len),
                Errno::EFAULT,
            );
        }
    }
    read(&open()).is_first("the read after reads to bad addresses");
    let last = read(&open());
    for bad in BadPointer::ALL {
        expect_errno(
            &format!("a read to a bad address ({bad:?})"),
            read_bad(&file, bad, 4096),
            Errno::EFAULT,
        );
    }
    let whole = parse(read_rest(&mut file, 4096));
    whole.follows("the read after reads to bad addresses", &last);
}

/// A read to a buffer that ends too early at a bad page loses nothing: it gives what
/// fits, or is EFAULT and takes no reading.
#[test]
fn a_buffer_that_ends_too_early_loses_nothing() {
    let _module = timer();
    cat();
    let mut last = read(&open());
    let memory = GuardPageBuffer::new();
    for room in [0, 1, 10, 40, 59] {
        let mut file = open();
        let mut text = what_fits(&memory, &file, room);
        text.extend(read_rest(&mut file, 4096));
        let whole = parse(&text);
        whole.follows(
            &format!("reading on, after {room} bytes could be written"),
            &last,
        );
        last = whole;
    }
    // In the middle of a reading.
    let mut file = open();
    let mut text = vec![0; 8];
    expect_ok("a read of 8 bytes", file.read_exact(&mut text));
    text.extend(what_fits(&memory, &file, 5));
    text.extend(read_rest(&mut file, 4096));
    let whole = parse(&text);
    whole.follows(
        "reading 8 bytes, then to where 5 can be written, then the rest",
        &last,
    );
    // All of it fits before the bad page.
    let n = expect_ok(
        "a read of 1 MiB where 4096 bytes can be written",
        memory.read(open(), 4096, 1 << 20),
    );
    let fits = parse(&memory.bytes(4096)[..n]);
    fits.follows("a read that fits before the bad page", &whole);
}

/// Reads 4096 bytes to where only `room` can be written: what it got.
#[track_caller]
fn what_fits(memory: &GuardPageBuffer, file: &File, room: usize) -> Vec<u8> {
    let done = format!("a read of 4096 bytes to where {room} can be written");
    match memory.read(file, room, 4096) {
        Ok(n) if (1..=room).contains(&n) => memory.bytes(room)[..n].to_vec(),
        other => {
            expect_errno(&done, other, Errno::EFAULT);
            Vec::new()
        }
    }
}

/// Sets the clock to `nanos` after the last reading, and reads; again, if the
/// machine was so slow that the elapsed time does not begin with `wanted`.
#[track_caller]
fn after_setting(clock: &RealTime, nanos: i128, wanted: &str) {
    let way = if nanos < 0 { "back" } else { "forward" };
    let done = format!(
        "cat after the clock was set {way} by {} s",
        seconds(nanos.abs())
    );
    let mut text = String::new();
    for _ in 0..20 {
        let last = read(&open());
        clock.set(last.current + nanos);
        text = koru_tests::cat(path());
        let reading = parse(&text);
        reading.follows(&done, &last);
        expect_eq(
            "the time is that of the clock, or later",
            reading.current >= last.current + nanos,
            true,
        );
        if text.contains(&format!("\n{}{wanted}", CONTRACT.text("elapsed"))) {
            return;
        }
    }
    fail_requirement(
        &done,
        &format!("{}{wanted}..", CONTRACT.text("elapsed")),
        &text,
    );
}

/// When the clock was set back the elapsed time is negative (-0.500000000), and right.
#[test]
fn a_clock_that_was_set_back() {
    let _module = timer();
    let clock = RealTime::take();
    after_setting(&clock, -SECOND / 2, "-0.4");
    after_setting(&clock, -2_300_000_000, "-2.2");
    after_setting(&clock, -SECOND, "-0.9");
    after_setting(&clock, -3600 * SECOND, "-3599.");
    // Decades.
    let year = 365 * 86400 * SECOND;
    after_setting(&clock, -20 * year, "-630719999.");
}

/// When the clock was set forward the elapsed time is right, by decades even.
#[test]
fn a_clock_that_was_set_forward() {
    let _module = timer();
    let clock = RealTime::take();
    after_setting(&clock, SECOND / 2, "0.5");
    after_setting(&clock, 2_300_000_000, "2.3");
    after_setting(&clock, 150 * 365 * 86400 * SECOND, "4730400000.");
}

/// Threads that race on descriptors of their own each get a reading that is right in
/// some order.
#[test]
fn racing_threads_make_one_chain() {
    let _module = timer();
    let readings: Vec<Reading> = thread::scope(|s| {
        let threads: Vec<_> = (0..8)
            .map(|i| {
                s.spawn(move || {
                    let file = open();
                    let mine = (0..300).map(|_| match i % 2 {
                        0 => read(&file),
                        _ => parse(read_rest(&mut open(), 4096)),
                    });
                    mine.collect::<Vec<_>>()
                })
            })
            .collect();
        collect(threads)
    });
    assert_chain(readings, None);
}

/// Threads that race on one descriptor each get a reading that is right in some order.
#[test]
fn racing_threads_on_one_descriptor() {
    let _module = timer();
    let first = cat();
    let file = open();
    let readings: Vec<Reading> = thread::scope(|s| {
        let threads: Vec<_> = (0..8)
            .map(|_| s.spawn(|| (0..200).map(|_| read(&file)).collect::<Vec<_>>()))
            .collect();
        collect(threads)
    });
    assert_chain(readings, Some(first));
}

/// Two hundred processes that read at once each get a reading that is right in some
/// order.
#[test]
fn two_hundred_processes_at_once() {
    let _module = timer();
    let outputs = files::at_once(200, |_| format!("cat {}", path()));
    let readings = outputs.into_iter().map(|output| {
        let said = String::from_utf8_lossy(&output.stderr);
        expect_eq("one of 200 times cat, its complaints", &*said, "");
        parse(output.stdout)
    });
    assert_chain(readings.collect(), None);
}

/// A child goes on in the text where its parent was: the position belongs to the open
/// file, not to a process.
#[test]
fn a_child_goes_on_where_its_parent_was() {
    let _module = timer();
    cat();
    let last = read(&open());
    let mut file = open();
    let mut text = vec![0; 20];
    expect_ok("a read of 20 bytes", file.read_exact(&mut text));
    text.extend(inherited_read(&file, "dd bs=1 count=10 2>/dev/null"));
    text.extend(inherited_read(&file, "cat"));
    parse(&text).follows("reading by a process and two children in turn", &last);
    at_the_end("in the parent", &mut file);
}

/// A descriptor that was sent over a socket goes on where it was.
#[test]
fn a_descriptor_that_was_sent() {
    let _module = timer();
    cat();
    let mut file = open();
    let mut text = vec![0; 20];
    expect_ok("a read of 20 bytes", file.read_exact(&mut text));
    let receive = send_in_flight(file);
    let other = read(&open());
    let mut file = receive();
    text.extend(read_rest(&mut file, 3));
    other.follows("a read while the descriptor was under way", &parse(&text));
    let second = file.try_clone().expect("dup");
    drop(file);
    read(&second).follows("a read through a duplicate of it", &other);
}

/// The file is for reading only, by everybody (mode 0444).
#[test]
fn the_file_is_read_only() {
    files::everybody_reads(&file(), 0o444);
    files::cannot_be_written(&file());
}

/// It can be unloaded while the file is open; reads through such a file are EIO.
#[test]
fn unloading_under_an_open_file() {
    files::unload_while_open(&file());
}

/// It can be loaded and unloaded while others read all the time.
#[test]
fn unloading_under_readers() {
    files::unload_under_readers(&file());
}

/// A second insmod while it is loaded is EEXIST, and changes nothing.
#[test]
fn loading_twice_is_eexist() {
    let _module = timer();
    let first = cat();
    expect_errno(
        "insmod of a loaded module",
        Module::load("my_timer", &[]),
        Errno::EEXIST,
    );
    cat().follows("cat afterwards", &first);
}

/// When another module has a file of this name already, loading fails and the other's
/// file stays as it is.
#[test]
fn a_name_that_is_taken() {
    files::taken_name(&file(), "my_timer", "kt_same_file");
}

/// `modinfo` shows license, author, description and version.
#[test]
fn modinfo_tells_who_and_what() {
    expect_modinfo("my_timer", &[]);
}
