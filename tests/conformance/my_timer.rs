//! `my_timer`: /proc/timer.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::{
        fs::{FileExt, PermissionsExt},
        process::CommandExt,
    },
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use koru_testing::{Log, Module, is_loaded, unload};
use koru_tests::{
    Bad, EEXIST, EFAULT, EIO, Guarded, NOBODY, RealTime, cat, errno, exists, in_flight,
    inherited_read, read_bad, read_by,
};
use rustix::pipe::PipeFlags;

const FILE: &str = "/proc/timer";
const SECOND: i128 = 1_000_000_000;

/// One reading: the printed times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reading {
    current: i128,
    elapsed: Option<i128>,
}

impl Reading {
    /// The time of the reading before.
    fn before(&self) -> Option<i128> {
        self.elapsed.map(|e| self.current - e)
    }
}

/// Takes a text apart; it must be exactly what the contract says.
#[track_caller]
fn parse(text: impl AsRef<[u8]>) -> Reading {
    let text = std::str::from_utf8(text.as_ref()).expect("text");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    assert!(matches!(lines.len(), 1 | 2), "{text:?}");
    let line = |i: usize, prefix: &str| {
        let number = lines[i]
            .strip_prefix(prefix)
            .and_then(|l| l.strip_suffix('\n'));
        nanos(number.unwrap_or_else(|| panic!("no `{prefix}` in {text:?}")))
    };
    let reading = Reading {
        current: line(0, "current time: "),
        elapsed: (lines.len() == 2).then(|| line(1, "elapsed time: ")),
    };
    assert!(reading.current >= 0, "{text:?}");
    reading
}

/// `S.NNNNNNNNN` or `-S.NNNNNNNNN`, nothing else.
#[track_caller]
fn nanos(number: &str) -> i128 {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, number),
    };
    let (whole, part) = digits.split_once('.').expect(number);
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    assert!(all_digits(whole) && all_digits(part), "{number}");
    assert_eq!(part.len(), 9, "{number}");
    assert!(whole == "0" || !whole.starts_with('0'), "{number}");
    let value = whole.parse::<i128>().unwrap() * SECOND + part.parse::<i128>().unwrap();
    assert!(sign == 1 || value != 0, "no negative zero");
    sign * value
}

fn timer() -> Module {
    Module::load("my_timer", &[]).unwrap()
}

fn open() -> File {
    File::open(FILE).unwrap()
}

/// One read from the start, as large as `cat`'s.
#[track_caller]
fn read(file: &File) -> Reading {
    let mut buffer = [0; 4096];
    let n = file.read_at(&mut buffer, 0).unwrap();
    parse(&buffer[..n])
}

/// The readings, in whatever order they are given, were made one after the other:
/// each elapsed time is the distance to the one before. Without `first`, one of
/// them was the first of all.
#[track_caller]
fn assert_chain(mut readings: Vec<Reading>, first: Option<i128>) {
    // Two in the same nanosecond: the one that came from elsewhere was earlier.
    readings.sort_by_key(|r| (r.current, r.before()));
    let mut last = first;
    for (i, reading) in readings.iter().enumerate() {
        assert_eq!(reading.before(), last, "reading {i}: {reading:?}");
        last = Some(reading.current);
    }
}

#[test]
fn appears_and_goes_with_the_module() {
    assert!(!exists(FILE));
    let module = timer();
    assert!(exists(FILE));
    module.unload().unwrap();
    assert!(!exists(FILE));
}

#[test]
fn the_first_read_has_one_line_the_next_two() {
    let _module = timer();
    let first = parse(cat(FILE));
    assert_eq!(first.elapsed, None);
    thread::sleep(Duration::from_millis(300));
    let second = parse(cat(FILE));
    assert_eq!(second.before(), Some(first.current));
    assert!(second.elapsed.unwrap() >= 300_000_000, "{second:?}");
    let third = parse(cat(FILE));
    assert_eq!(third.before(), Some(second.current));
}

#[test]
fn it_is_the_time_of_day() {
    let _module = timer();
    let now = || {
        let t = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        t.as_nanos() as i128
    };
    let before = now();
    let reading = parse(cat(FILE));
    assert!((before..=now()).contains(&reading.current), "{reading:?}");
}

#[test]
fn loading_again_starts_again() {
    let module = timer();
    cat(FILE);
    module.unload().unwrap();
    let _module = timer();
    assert_eq!(parse(cat(FILE)).elapsed, None);
}

#[test]
fn byte_by_byte_is_one_reading() {
    let _module = timer();
    cat(FILE);
    let before = read(&open());
    let mut slow = open();
    let mut byte = [0];
    slow.read_exact(&mut byte).unwrap();
    // Others read meanwhile; what was begun stays whole.
    let other = read(&open());
    let mut text = byte.to_vec();
    text.extend(read_by(&mut slow, 1).unwrap());
    let slow_reading = parse(&text);
    assert_eq!(slow_reading.before(), Some(before.current));
    assert_eq!(other.before(), Some(slow_reading.current));
    // The end is the end, for as often as one asks.
    assert_eq!(slow.read(&mut byte).unwrap(), 0);
    assert_eq!(slow.read(&mut byte).unwrap(), 0);
    assert_eq!(read(&open()).before(), Some(other.current));
}

#[test]
fn all_sizes_give_the_whole_content() {
    let _module = timer();
    let mut last = parse(cat(FILE));
    for size in (1..=80).chain([4095, 4096, 4097, 1 << 20]) {
        let text = read_by(&mut open(), size).unwrap();
        let reading = parse(&text);
        assert_eq!(reading.before(), Some(last.current), "by {size}");
        last = reading;
    }
}

#[test]
fn two_files_have_positions_of_their_own() {
    let _module = timer();
    cat(FILE);
    let (mut a, mut b) = (open(), open());
    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    loop {
        let mut byte = [0];
        let n = a.read(&mut byte).unwrap();
        of_a.extend(&byte[..n]);
        let m = b.read(&mut byte).unwrap();
        of_b.extend(&byte[..m]);
        if n + m == 0 {
            break;
        }
    }
    assert_eq!(parse(&of_b).before(), Some(parse(&of_a).current));
}

#[test]
fn pread_at_offsets() {
    let _module = timer();
    cat(FILE);
    let mut file = open();
    let text = read_by(&mut file, 4096).unwrap();
    let reading = parse(&text);
    for at in 1..text.len() + 3 {
        let mut buffer = [0; 7];
        let n = file.read_at(&mut buffer, at as u64).unwrap();
        let rest = text.get(at..).unwrap_or_default();
        assert_eq!(&buffer[..n], &rest[..rest.len().min(7)], "at {at}");
    }
    // None of these was a reading, nor did they move the position.
    assert_eq!(file.read(&mut [0; 8]).unwrap(), 0);
    assert_eq!(read(&file).before(), Some(reading.current));
    // At 0 it is one, and the position is still at the end.
    assert_eq!(file.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn a_far_offset_is_the_end_and_no_reading() {
    let _module = timer();
    let first = parse(cat(FILE));
    let file = open();
    for at in [200, 4096, 1 << 31, 1 << 40, i64::MAX as u64 - 10] {
        assert_eq!(file.read_at(&mut [0; 8], at).unwrap(), 0, "at {at}");
    }
    assert_eq!(read(&file).before(), Some(first.current));
}

#[test]
fn seeking_back_gives_a_new_reading() {
    let _module = timer();
    let mut file = open();
    let first = parse(read_by(&mut file, 4096).unwrap());
    file.seek(SeekFrom::Start(0)).unwrap();
    let second = parse(read_by(&mut file, 4096).unwrap());
    assert_eq!(second.before(), Some(first.current));
    // Not to the start: the same reading again.
    let text = read_by(&mut open(), 4096).unwrap();
    assert_eq!(parse(&text).before(), Some(second.current));
    file.seek(SeekFrom::Start(14)).unwrap();
    let tail = read_by(&mut file, 4096).unwrap();
    let line = format!(
        "{}.{:09}\n",
        second.current / SECOND,
        second.current % SECOND
    );
    assert!(tail.starts_with(line.as_bytes()), "{tail:?}");
    assert_eq!(file.stream_position().unwrap(), 14 + tail.len() as u64);
    assert_eq!(errno(file.seek(SeekFrom::Current(-1000))), 22);
}

#[test]
fn dd_byte_by_byte() {
    let _module = timer();
    let first = parse(cat(FILE));
    let dd = |args: &[&str]| {
        let output = Command::new("dd").arg("if=/proc/timer").args(args).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    let second = parse(dd(&["bs=1"]));
    assert_eq!(second.before(), Some(first.current));
    assert_eq!(dd(&["bs=1", "skip=8", "count=5"]), b"time:");
}

#[test]
fn a_read_of_nothing_is_no_reading() {
    let _module = timer();
    let mut file = open();
    assert_eq!(file.read(&mut []).unwrap(), 0);
    assert_eq!(read(&open()).elapsed, None, "the first is still to come");
    let last = read(&open());
    for _ in 0..3 {
        assert_eq!(file.read(&mut []).unwrap(), 0);
    }
    assert_eq!(read(&open()).before(), Some(last.current));
    let whole = parse(read_by(&mut file, 4096).unwrap());
    assert!(whole.elapsed.is_some(), "the position had not moved");
}

#[test]
fn a_bad_pointer_is_efault_and_no_reading() {
    let _module = timer();
    let mut file = open();
    for bad in Bad::ALL {
        for len in [1, 4096, 1 << 20] {
            assert_eq!(errno(read_bad(&file, bad, len)), EFAULT, "{bad:?} {len}");
        }
    }
    assert_eq!(read(&open()).elapsed, None, "the first is still to come");
    let last = read(&open());
    for bad in Bad::ALL {
        assert_eq!(errno(read_bad(&file, bad, 4096)), EFAULT);
    }
    let whole = parse(read_by(&mut file, 4096).unwrap());
    assert_eq!(whole.before(), Some(last.current));
}

#[test]
fn a_buffer_that_ends_too_early_is_no_reading() {
    let _module = timer();
    cat(FILE);
    let last = read(&open());
    let memory = Guarded::new();
    let mut file = open();
    for room in [0, 1, 10, 40, 59] {
        assert_eq!(errno(memory.read(&file, room, 4096)), EFAULT, "{room}");
        assert_eq!(errno(memory.pread(&file, room, 4096, 0)), EFAULT, "{room}");
    }
    // The position has not moved, nor has the reference time.
    let mut start = [0; 8];
    file.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"current ");
    // In the middle of a reading: no byte of it is lost.
    assert_eq!(errno(memory.read(&file, 5, 4096)), EFAULT);
    assert_eq!(memory.read(&file, 5, 5).unwrap(), 5);
    assert_eq!(memory.bytes(5), b"time:");
    let rest = read_by(&mut file, 4096).unwrap();
    let whole = parse([&start[..], b"time:", &rest].concat());
    assert_eq!(whole.before(), Some(last.current));
    // What fits before the bad page is a good read.
    let n = memory.read(open(), 4096, 1 << 20).unwrap();
    let fits = parse(&memory.bytes(4096)[..n]);
    assert_eq!(fits.before(), Some(whole.current));
}

/// Sets the clock to `nanos` after the last reading, and reads; again, if the
/// machine was so slow that the elapsed time does not begin with `wanted`.
#[track_caller]
fn after_setting(clock: &RealTime, nanos: i128, wanted: &str) {
    let mut text = String::new();
    for _ in 0..20 {
        let last = read(&open());
        clock.set(last.current + nanos);
        text = cat(FILE);
        let reading = parse(&text);
        assert_eq!(reading.before(), Some(last.current), "{text}");
        assert!(reading.current >= last.current + nanos, "{text}");
        if text.contains(&format!("\nelapsed time: {wanted}")) {
            return;
        }
    }
    panic!("never `{wanted}`: {text}");
}

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

#[test]
fn a_clock_that_was_set_forward() {
    let _module = timer();
    let clock = RealTime::take();
    after_setting(&clock, SECOND / 2, "0.5");
    after_setting(&clock, 2_300_000_000, "2.3");
    after_setting(&clock, 150 * 365 * 86400 * SECOND, "4730400000.");
}

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
                        _ => parse(read_by(&mut open(), 4096).unwrap()),
                    });
                    mine.collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|t| t.join().unwrap())
            .collect()
    });
    assert_eq!(readings.len(), 8 * 300);
    assert_chain(readings, None);
}

#[test]
fn racing_threads_on_one_descriptor() {
    let _module = timer();
    let first = parse(cat(FILE));
    let file = open();
    let readings: Vec<Reading> = thread::scope(|s| {
        let threads: Vec<_> = (0..8)
            .map(|_| s.spawn(|| (0..200).map(|_| read(&file)).collect::<Vec<_>>()))
            .collect();
        threads
            .into_iter()
            .flat_map(|t| t.join().unwrap())
            .collect()
    });
    assert_chain(readings, Some(first.current));
}

#[test]
fn two_hundred_processes_at_once() {
    let _module = timer();
    let (start, go) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).unwrap();
    let children: Vec<_> = (0..200)
        .map(|_| {
            Command::new("sh")
                .args(["-c", "read go; exec cat /proc/timer"])
                .stdin(start.try_clone().unwrap())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    drop(start);
    // All are there; now they start.
    drop(go);
    let readings = children.into_iter().map(|child| {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        parse(output.stdout)
    });
    assert_chain(readings.collect(), None);
}

#[test]
fn a_child_goes_on_where_its_parent_was() {
    let _module = timer();
    cat(FILE);
    let last = read(&open());
    let mut file = open();
    let mut text = vec![0; 20];
    file.read_exact(&mut text).unwrap();
    // The position belongs to the open file, not to a process.
    text.extend(inherited_read(&file, "dd bs=1 count=10 2>/dev/null"));
    text.extend(inherited_read(&file, "cat"));
    assert_eq!(parse(&text).before(), Some(last.current));
    assert_eq!(file.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn a_descriptor_that_was_sent() {
    let _module = timer();
    cat(FILE);
    let mut file = open();
    let mut text = vec![0; 20];
    file.read_exact(&mut text).unwrap();
    let receive = in_flight(file);
    let other = read(&open());
    let mut file = receive();
    text.extend(read_by(&mut file, 3).unwrap());
    assert_eq!(other.before(), Some(parse(&text).current));
    let second = file.try_clone().unwrap();
    drop(file);
    assert_eq!(read(&second).before(), Some(other.current));
}

#[test]
fn the_file_is_read_only() {
    let _module = timer();
    let meta = fs::metadata(FILE).unwrap();
    assert_eq!(meta.permissions().mode() & 0o7777, 0o444);
    let last = read(&open());
    // Root may open it for writing, and cannot write.
    let mut file = OpenOptions::new().write(true).open(FILE).unwrap();
    assert_eq!(errno(file.write(b"x")), EIO);
    drop(file);
    let nobody = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", script]).uid(NOBODY).gid(NOBODY);
        command.output().unwrap()
    };
    let refused = nobody("echo x > /proc/timer");
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("Permission denied"), "{said}");
    let allowed = nobody("cat /proc/timer");
    assert!(allowed.status.success(), "{allowed:?}");
    assert_eq!(parse(allowed.stdout).before(), Some(last.current));
}

#[test]
fn unloading_under_an_open_file() {
    let module = timer();
    let mut begun = open();
    begun.read_exact(&mut [0; 5]).unwrap();
    let mut unused = open();
    let sent = in_flight(open());
    module.unload().unwrap();
    assert!(!is_loaded("my_timer") && !exists(FILE));
    for file in [&mut begun, &mut unused, &mut sent()] {
        assert_eq!(errno(file.read(&mut [0; 64])), EIO);
        assert_eq!(errno(file.read_at(&mut [0; 64], 0)), EIO);
    }
    // The next one has nothing to do with the files of the last.
    let _module = timer();
    assert_eq!(errno(begun.read(&mut [0; 64])), EIO);
    assert_eq!(read(&open()).elapsed, None);
}

#[test]
fn unloading_under_readers() {
    let done = AtomicBool::new(false);
    let good = AtomicUsize::new(0);
    thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let Ok(file) = File::open(FILE) else {
                        thread::yield_now();
                        continue;
                    };
                    for _ in 0..20 {
                        let mut buffer = [0; 256];
                        match file.read_at(&mut buffer, 0) {
                            Ok(n) => {
                                parse(&buffer[..n]);
                                good.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(e) => {
                                assert_eq!(e.raw_os_error(), Some(EIO));
                                break;
                            }
                        }
                    }
                }
            });
        }
        for _ in 0..30 {
            let before = good.load(Ordering::Relaxed);
            let module = timer();
            while good.load(Ordering::Relaxed) < before + 10 {
                thread::yield_now();
            }
            module.unload().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn loading_twice_is_eexist() {
    let _module = timer();
    let first = parse(cat(FILE));
    assert_eq!(errno(Module::load("my_timer", &[])), EEXIST);
    assert_eq!(parse(cat(FILE)).before(), Some(first.current));
}

#[test]
fn a_name_that_is_taken() {
    let log = Log::from_now();
    let other = Module::load("kt_same_file", &[]).unwrap();
    assert_eq!(cat(FILE), "somebody else's\n");
    assert_eq!(errno(Module::load("my_timer", &[])), EEXIST);
    assert!(!is_loaded("my_timer"));
    assert_eq!(cat(FILE), "somebody else's\n");
    other.unload().unwrap();
    assert!(!exists(FILE));
    // And the other way round.
    let module = timer();
    assert_eq!(errno(Module::load("kt_same_file", &[])), EEXIST);
    assert_eq!(parse(cat(FILE)).elapsed, None);
    module.unload().unwrap();
    assert!(!exists(FILE));
    let records = log.records();
    assert!(records.iter().all(|r| r.level > 4), "{records:?}");
}

#[test]
fn a_module_that_is_not_there_cannot_be_unloaded() {
    assert_eq!(errno(unload("my_timer")), 2);
}
