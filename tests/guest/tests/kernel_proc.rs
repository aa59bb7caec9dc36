// SPDX-License-Identifier: MIT OR Apache-2.0

//! Files in /proc, on the module `kt_proc`.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use koru_testing::{Log, Module};
use koru_tests::{
    BadPointer,
    Errno::{EAGAIN, EFAULT, EINVAL, EIO, ENODATA, ENOSPC, EOVERFLOW},
    GuardPageBuffer, cat, errno, exists, inherited_read, read_bad, read_by, send_in_flight,
    write_bad,
};

koru_testing::test_file!(one_cpu);

const LARGE: &str = "/proc/kt_proc_large";
const FAILING: &str = "/proc/kt_proc_failing";
const OWN: &str = "/proc/kt_proc_own";
const COUNTS: &str = "/proc/kt_proc_counts";

fn load() -> Module {
    Module::load("kt_proc", &[]).unwrap()
}

fn large() -> String {
    (0..20_000)
        .map(|n| format!("line {n:06} {}\n", n % 7))
        .collect()
}

fn own() -> File {
    OpenOptions::new().read(true).write(true).open(OWN).unwrap()
}

/// Opened, released, freed.
fn counts() -> [u64; 3] {
    let text = cat(COUNTS);
    let numbers: Vec<u64> = text
        .split_whitespace()
        .map(|n| n.parse().unwrap())
        .collect();
    numbers.try_into().unwrap()
}

/// The file's number, how often it was read and written, its mode.
fn who(file: &File) -> Vec<u64> {
    let mut buffer = [0; 64];
    let n = file.read_at(&mut buffer, 5000).unwrap();
    let text = std::str::from_utf8(&buffer[..n]).unwrap();
    text.split_whitespace()
        .map(|n| n.parse().unwrap())
        .collect()
}

#[test]
fn files_come_and_go() {
    let files = [LARGE, FAILING, OWN, COUNTS];
    let module = load();
    assert!(files.iter().all(|f| exists(f)));
    let mode = |f| fs::metadata(f).unwrap().permissions().mode() & 0o7777;
    assert_eq!(files.map(mode), [0o400, 0o444, 0o622, 0o444]);
    module.unload().unwrap();
    assert!(!files.iter().any(|f| exists(f)));
}

/// All sizes of reads give the same text.
fn in_all_sizes() {
    let wanted = large();
    for size in [7, 100, 4095, 4096, 4097, 65536, 1 << 20] {
        let got = read_by(&mut File::open(LARGE).unwrap(), size).unwrap();
        assert!(got == wanted.as_bytes(), "by {size}");
    }
    // A million system calls are too slow here: the first ones, and the last.
    let mut file = File::open(LARGE).unwrap();
    for from in [0, wanted.len() - 5000] {
        file.seek(SeekFrom::Start(from as u64)).unwrap();
        let mut byte = [0];
        for (i, b) in wanted.bytes().enumerate().skip(from).take(5000) {
            assert_eq!((file.read(&mut byte).unwrap(), byte[0]), (1, b), "at {i}");
        }
    }
    assert_eq!(file.read(&mut [0]).unwrap(), 0);
}

#[test]
fn texts_are_printed_as_they_are() {
    let _module = load();
    let text = "a\n\u{9b}\0é|a\\n\\xc2\\x9b\\x00\\xc3\\xa9|ENODATA";
    let wanted = format!("{text}\n-07-57\n{text}|ff\n");
    assert_eq!(cat("/proc/kt_proc_pieces"), wanted);
}

#[test]
fn a_large_file_in_all_sizes() {
    let _module = load();
    in_all_sizes();
    assert_eq!(cat(LARGE), large());
}

#[test]
fn a_large_file_with_a_size_hint() {
    // Right, too small, too large.
    for hint in [300_000, 5000, 1 << 20] {
        let _module = Module::load("kt_proc", &[&format!("hint={hint}")]).unwrap();
        assert_eq!(cat(LARGE), large(), "{hint}");
    }
    let _module = Module::load("kt_proc", &["hint=300000"]).unwrap();
    in_all_sizes();
}

#[test]
fn a_large_file_at_any_offset() {
    let _module = load();
    let wanted = large();
    let file = File::open(LARGE).unwrap();
    for at in [
        0,
        1,
        4095,
        4096,
        4097,
        100_000,
        wanted.len() - 1,
        wanted.len(),
        1 << 30,
    ] {
        let mut buffer = [0; 100];
        let n = file.read_at(&mut buffer, at as u64).unwrap();
        let rest = wanted.as_bytes().get(at..).unwrap_or_default();
        assert!(n > 0 || rest.is_empty(), "at {at}");
        assert_eq!(&buffer[..n], &rest[..n], "at {at}");
    }
    for bad in BadPointer::ALL {
        assert_eq!(errno(read_bad(&file, bad, 100)), EFAULT);
    }
    let got = read_by(&mut File::open(LARGE).unwrap(), 4096).unwrap();
    assert!(got == wanted.as_bytes(), "a fault consumed something");
}

#[koru_testing::all_cpus]
#[test]
fn readers_of_a_large_file_do_not_mix() {
    let _module = load();
    let wanted = large();
    thread::scope(|s| {
        for size in [3001, 4096, 5003, 70_000] {
            let wanted = &wanted;
            s.spawn(move || {
                for _ in 0..5 {
                    let got = read_by(&mut File::open(LARGE).unwrap(), size).unwrap();
                    assert!(got == wanted.as_bytes(), "by {size}");
                }
            });
        }
    });
}

#[test]
fn a_show_that_fails() {
    let _module = load();
    let mut file = File::open(FAILING).unwrap();
    for _ in 0..2 {
        assert_eq!(errno(file.read(&mut [0; 4096])), ENODATA);
    }
}

#[test]
fn a_show_file_cannot_be_written() {
    let _module = load();
    let mut file = OpenOptions::new().write(true).open(FAILING).unwrap();
    assert_eq!(errno(file.write(b"x")), EIO);
}

#[test]
fn what_is_written_is_read() {
    let _module = load();
    let mut file = own();
    assert_eq!(file.write(b"hello").unwrap(), 5);
    assert_eq!(file.write(b" world").unwrap(), 6);
    assert_eq!(file.write(&[]).unwrap(), 0);
    let mut start = [0; 13];
    assert_eq!(file.read_at(&mut start, 0).unwrap(), 13);
    assert_eq!(&start, b"hello world..");
    file.write_all_at(b"end", 997).unwrap();
    for size in [1, 7, 999, 1000, 1001, 4097, 1 << 20] {
        let got = read_by(&mut own(), size).unwrap();
        assert_eq!(got.len(), 1000);
        assert!(got.starts_with(b"hello world...") && got.ends_with(b".end"));
    }
    // Over the end: what fits, then an error.
    assert_eq!(file.write_at(b"12345", 998).unwrap(), 2);
    assert_eq!(errno(file.write_at(b"x", 1000)), ENOSPC);
    assert_eq!(file.write_at(b"", 1000).unwrap(), 0);
}

#[test]
fn seeking() {
    let _module = load();
    let mut file = own();
    assert_eq!(file.seek(SeekFrom::End(-4)).unwrap(), 996);
    assert_eq!(file.seek(SeekFrom::Current(2)).unwrap(), 998);
    assert_eq!(read_by(&mut file, 100).unwrap(), b"..");
    assert_eq!(file.stream_position().unwrap(), 1000);
    assert_eq!(errno(file.seek(SeekFrom::Current(-1001))), EINVAL);
    assert_eq!(errno(file.seek(SeekFrom::Start(6001))), EINVAL);
    assert_eq!(errno(file.seek(SeekFrom::Current(i64::MAX))), EOVERFLOW);
    // A refused one changes nothing.
    assert_eq!(file.stream_position().unwrap(), 1000);
    assert_eq!(file.seek(SeekFrom::Start(3)).unwrap(), 3);
    file.write_all(b"x").unwrap();
    assert_eq!(file.stream_position().unwrap(), 4);
    // A position of its own for pread and pwrite.
    file.write_all_at(b"y", 500).unwrap();
    assert_eq!(file.stream_position().unwrap(), 4);
}

#[test]
fn faults_change_nothing() {
    let _module = load();
    let mut file = own();
    file.write_all(b"before").unwrap();
    let memory = GuardPageBuffer::new();
    for bad in BadPointer::ALL {
        assert_eq!(errno(read_bad(&file, bad, 100)), EFAULT, "{bad:?}");
        assert_eq!(errno(write_bad(&file, bad, 100)), EFAULT, "{bad:?}");
    }
    for room in [0, 1, 99] {
        assert_eq!(errno(memory.read(&file, room, 100)), EFAULT);
        assert_eq!(errno(memory.write(&file, &vec![b'!'; room], 100)), EFAULT);
    }
    assert_eq!(file.stream_position().unwrap(), 6);
    let text = read_by(&mut own(), 4096).unwrap();
    assert!(text.starts_with(b"before..") && !text.contains(&b'!'));
    // Up to the bad page all is well.
    assert_eq!(memory.write(&file, b"!!", 2).unwrap(), 2);
    assert_eq!(memory.pread(&file, 2, 2, 6).unwrap(), 2);
    assert_eq!(memory.bytes(2), b"!!");
}

#[test]
fn each_open_file_has_data_of_its_own() {
    let _module = load();
    let (a, b) = (own(), File::open(OWN).unwrap());
    a.read_at(&mut [0; 1], 0).unwrap();
    a.write_at(b"x", 0).unwrap();
    assert_eq!(who(&a), [0, 3, 2]);
    assert_eq!(who(&b), [1, 1, 0]);
    // A duplicate is the same open file.
    assert_eq!(who(&a.try_clone().unwrap()), [0, 4, 2]);
    let c = OpenOptions::new().write(true).open(OWN).unwrap();
    assert_eq!(counts(), [3, 0, 0]);
    drop((a, b, c));
    assert_eq!(counts(), [3, 3, 3]);
}

#[test]
fn an_open_that_is_refused() {
    let _module = load();
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NONBLOCK);
    for _ in 0..10 {
        assert_eq!(errno(options.open(OWN)), EAGAIN);
    }
    assert_eq!(counts(), [0, 0, 0]);
    drop(own());
    assert_eq!(counts(), [1, 1, 1]);
}

#[koru_testing::all_cpus]
#[test]
fn released_once_whoever_is_last() {
    let _module = load();
    // Duplicates.
    let file = own();
    let more: Vec<File> = (0..10).map(|_| file.try_clone().unwrap()).collect();
    drop(file);
    assert_eq!(counts(), [1, 0, 0]);
    drop(more);
    assert_eq!(counts(), [1, 1, 1]);
    // A child's.
    let file = own();
    assert_eq!(inherited_read(&file, "dd bs=3 count=1 2>/dev/null"), b"...");
    assert_eq!(counts(), [2, 1, 1]);
    let mut child = std::process::Command::new("sh")
        .args(["-c", "read line; exit 7"])
        .stdin(std::process::Stdio::piped())
        .stdout(file)
        .spawn()
        .unwrap();
    assert_eq!(counts(), [2, 1, 1], "the child alone has it");
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(7));
    assert_eq!(counts(), [2, 2, 2]);
    // One that is only in a message.
    let receive = send_in_flight(own());
    assert_eq!(counts(), [3, 2, 2]);
    let file = receive();
    assert_eq!(who(&file)[0], 2);
    drop(file);
    assert_eq!(counts(), [3, 3, 3]);
    // One in a message that nobody ever takes out.
    drop(send_in_flight(own()));
    assert_eq!(counts(), [4, 4, 4]);
}

#[koru_testing::all_cpus]
#[test]
fn a_killed_process_releases() {
    let _module = load();
    let mut child = std::process::Command::new("sh")
        .args(["-c", "exec 5</proc/kt_proc_own; echo open; read line"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut [0; 5])
        .unwrap();
    assert_eq!(counts(), [1, 0, 0]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(counts(), [1, 1, 1]);
}

#[koru_testing::all_cpus]
#[test]
fn threads_that_open_and_close() {
    let _module = load();
    thread::scope(|s| {
        for _ in 0..8 {
            s.spawn(|| {
                for n in 0..50 {
                    let file = own();
                    file.write_at(b"abc", n).unwrap();
                    assert!(who(&file)[1] >= 2);
                }
            });
        }
    });
    assert_eq!(counts(), [400, 400, 400]);
}

#[test]
fn unloading_releases_what_is_open() {
    let log = Log::from_now();
    let module = load();
    let files: Vec<File> = (0..5).map(|_| own()).collect();
    let sent = send_in_flight(own());
    let mut shown = File::open(LARGE).unwrap();
    shown.read_exact(&mut [0; 5000]).unwrap();
    module.unload().unwrap();
    assert_eq!(
        log.messages("kt_proc: "),
        ["opened 6 released 6 freed 6"],
        "released by the time the data goes"
    );
    for mut file in files.into_iter().chain([sent()]) {
        assert_eq!(errno(file.read(&mut [0; 10])), EIO);
        assert_eq!(errno(file.write(b"x")), EIO);
        assert_eq!(errno(file.read_at(&mut [0; 10], 5000)), EIO);
        assert!(file.seek(SeekFrom::Start(0)).is_err());
    }
    assert_eq!(errno(shown.read(&mut [0; 10])), EIO);
    drop(shown);
    let _module = load();
    assert_eq!(counts(), [0, 0, 0]);
}

#[koru_testing::all_cpus]
#[test]
fn unloading_under_users() {
    let log = Log::from_now();
    let done = AtomicBool::new(false);
    thread::scope(|s| {
        for i in 0..4 {
            let done = &done;
            s.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let Ok(file) = OpenOptions::new().read(true).write(true).open(OWN) else {
                        thread::yield_now();
                        continue;
                    };
                    for n in 0..10 {
                        let failed = match (i + n) % 2 {
                            0 => file.read_at(&mut [0; 100], 0).err(),
                            _ => file.write_at(b"abc", 10).err(),
                        };
                        if let Some(e) = failed {
                            assert_eq!(e.raw_os_error(), Some(EIO as i32));
                            break;
                        }
                    }
                }
            });
        }
        for _ in 0..20 {
            let module = load();
            while counts()[0] < 5 {
                thread::yield_now();
            }
            module.unload().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    let messages = log.messages("kt_proc: ");
    assert_eq!(messages.len(), 20);
    for message in messages {
        let mut numbers = message.split_whitespace().skip(1).step_by(2);
        let opened = numbers.next().unwrap();
        assert_eq!(
            [numbers.next(), numbers.next()],
            [Some(opened); 2],
            "{message}"
        );
    }
}
