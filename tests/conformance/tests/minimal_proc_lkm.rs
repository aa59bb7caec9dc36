// SPDX-License-Identifier: MIT OR Apache-2.0

//! `minimal_proc_lkm`: /proc/minimal_proc_lkm.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::PermissionsExt,
    process::Command,
    sync::LazyLock,
    thread,
};

use koru_testing::{Log, LogRecord};
use koru_tests::{
    BadPointer, Contract, Errno, GuardPageBuffer, contract, expect_eq, expect_errno,
    expect_modinfo, expect_ok, fail_requirement,
    files::{self, Served, as_nobody, at_once},
    send_in_flight, write_bad,
};

koru_testing::test_file!(one_cpu);

static CONTRACT: LazyLock<Contract> = contract!("minimal_proc_lkm");

fn path() -> &'static str {
    CONTRACT.text("file")
}

fn file() -> Served<'static> {
    Served::written(&CONTRACT, path())
}

fn shown(key: &str) -> &'static str {
    CONTRACT.text(&format!("shown.{key}"))
}

fn least() -> usize {
    usize::try_from(CONTRACT.number("least")).expect("a length")
}

#[track_caller]
fn open() -> File {
    expect_ok("open", OpenOptions::new().write(true).open(path()))
}

/// One write; it must be taken whole.
#[track_caller]
fn write(bytes: &[u8]) {
    let done = format!("write of {} bytes", bytes.len());
    expect_eq(&done, expect_ok(&done, open().write(bytes)), bytes.len());
}

/// A record of somebody else's.
const NEXT: &str = "koru: the test's own record";

/// Logs a record, so that one before it which was left open is shown: that is what
/// one test is about, and the others have other sorrows.
fn end_record() {
    expect_ok(
        "writing to /dev/kmsg",
        fs::write("/dev/kmsg", format!("{NEXT}\n")),
    );
}

/// What the module logs.
struct Said {
    log: Log,
    /// What it puts before each text, if anything.
    tag: String,
    level: u8,
}

impl Said {
    /// From now on.
    #[track_caller]
    fn from_now() -> Said {
        const PROBE: &str = "which records are the module's?";
        let log = Log::from_now();
        write(PROBE.as_bytes());
        end_record();
        let records = log.records();
        let probe = records.iter().find(|r| r.text.contains(PROBE));
        let Some(probe) = probe else {
            fail_requirement("a write", "a record in the log", "none");
        };
        let tag = probe.text.split_once(PROBE).map_or("", |(tag, _)| tag);
        Said {
            tag: tag.to_owned(),
            level: probe.level,
            log: Log::from_now(),
        }
    }

    fn records(&self) -> Vec<LogRecord> {
        end_record();
        self.records_at_once()
    }

    /// Without waiting for the next record.
    fn records_at_once(&self) -> Vec<LogRecord> {
        let mut records = self.log.records();
        records.retain(|r| r.text.starts_with(&self.tag) && !r.text.contains(NEXT));
        records
    }

    /// The texts of its records, without what it puts before them.
    fn texts(&self) -> Vec<String> {
        let records = self.records().into_iter();
        records
            .map(|r| r.text[self.tag.len()..].to_owned())
            .collect()
    }

    /// There are these records by now, all of one level.
    #[track_caller]
    fn expect_records(&self, done: &str, promised: &[&str]) {
        expect_eq(
            &format!("the log's records after {done}"),
            self.texts(),
            promised,
        );
        let forged = self.records().iter().any(|r| r.level != self.level);
        expect_eq(&format!("the level changes with {done}"), forged, false);
    }
}

/// A write is one record of the log, with exactly what was written, at once.
#[test]
fn a_write_is_a_record() {
    let _module = CONTRACT.load();
    let said = Said::from_now();
    write(b"hello from user space");
    // Not only when the next one comes.
    let records = said.records_at_once().len();
    expect_eq("records in the log at once after a write", records, 1);
    said.expect_records("one write", &["hello from user space"]);
    write(b"and once more");
    said.expect_records("two writes", &["hello from user space", "and once more"]);
    write(b" ");
    said.expect_records("three", &["hello from user space", "and once more", " "]);
}

/// Several writes on one descriptor are a record each.
#[test]
fn several_writes_on_one_descriptor() {
    let _module = CONTRACT.load();
    let said = Said::from_now();
    let mut file = open();
    for text in ["one", "two", "three"] {
        expect_ok("write", file.write(text.as_bytes()));
    }
    said.expect_records("three writes", &["one", "two", "three"]);
}

/// A newline at the end adds no record; nor is anything before it lost.
#[test]
fn echo() {
    let _module = CONTRACT.load();
    let said = Said::from_now();
    let echo = as_nobody(&format!("echo hello > {}", path()));
    expect_eq("echo succeeds", echo.status.success(), true);
    said.expect_records(
        "echo hello",
        &[&format!("hello{}", shown("newline_at_end"))],
    );
}

/// Text in all languages is shown as it is, and so is what looks like a format.
#[test]
fn text_is_shown_as_it_is() {
    let _module = CONTRACT.load();
    let said = Said::from_now();
    let texts = [
        "grüße, 世界, 🦀",
        "%s%s%s%n %d %p %pS %%",
        "\"quoted\" 'text' <6>[    0.000000] {braces} ~!@#$^&*()",
        "C:\\new\\table \\x41",
        "  spaces around  ",
    ];
    for text in texts {
        write(text.as_bytes());
    }
    said.expect_records("writes of text", &texts);
}

/// Control characters and bytes that are not UTF-8 are escaped.
#[test]
fn what_is_no_text_is_escaped() {
    let _module = CONTRACT.load();
    let bytes: [(&str, &[u8]); 14] = [
        ("newline", b"\n"),
        ("carriage_return", b"\r"),
        ("tab", b"\t"),
        ("nul", b"\0"),
        ("start_of_header", b"\x01"),
        ("bell", b"\x07"),
        ("backspace", b"\x08"),
        ("escape", b"\x1b"),
        ("delete", b"\x7f"),
        ("next_line", "\u{85}".as_bytes()),
        ("byte_ff", b"\xff"),
        ("byte_80", b"\x80"),
        ("half_a_character", b"\xc3"),
        ("newline", b"\n"),
    ];
    for (key, bytes) in bytes {
        let said = Said::from_now();
        write(&[b"before ", bytes, b" after"].concat());
        let promised = format!("before {} after", shown(key));
        said.expect_records(&format!("a write with a {key}"), &[&promised]);
        let said = Said::from_now();
        write(&[bytes, b"at the start"].concat());
        let promised = format!("{}at the start", shown(key));
        said.expect_records(&format!("a write that starts with a {key}"), &[&promised]);
    }
}

/// No record has a control character in it, whatever bytes are written.
#[test]
fn all_bytes() {
    let _module = CONTRACT.load();
    let said = Said::from_now();
    for byte in 0..=255 {
        write(&[byte; 3]);
    }
    let texts = said.texts();
    expect_eq("records after 256 writes", texts.len(), 256);
    for text in texts {
        let raw = text.contains(|c: char| c.is_control() || c == '\u{fffd}');
        expect_eq(&format!("the record {text:?} has a raw byte"), raw, false);
    }
}

/// Nobody can forge a line of the log, nor choose its level.
#[test]
fn forged_lines() {
    let _module = CONTRACT.load();
    let log = Log::from_now();
    let said = Said::from_now();
    let lines = [
        "x\nforged: by a process",
        "\nforged: by a process",
        "x\r\nforged: by a process",
        "\x010forged: by a process",
        "\x01cforged: by a process",
        "x\x1b[2J\x1b[Hforged: by a process",
    ];
    for line in lines {
        write(line.as_bytes());
    }
    expect_eq("records after 6 writes", said.texts().len(), lines.len());
    let records = log.records();
    let bare = |r: &&LogRecord| r.text.starts_with("forged: ");
    let forged = records.iter().find(bare);
    if let (Some(forged), false) = (forged, said.tag.is_empty()) {
        fail_requirement(
            "a write with a second line",
            "no record of its own",
            &forged.text,
        );
    }
    for record in said.records() {
        expect_eq("lines in a record", record.text.lines().count(), 1);
        expect_eq("the level of a record", record.level, said.level);
    }
}

/// The record ends where the write ends, whatever lies behind it in memory.
#[test]
fn nothing_from_behind_the_bytes() {
    let _module = CONTRACT.load();
    let said = Said::from_now();
    let memory = b"0123456789 AND A SECRET";
    write(&memory[..10]);
    said.expect_records("a write of 10 bytes", &["0123456789"]);
    // Behind these there is no memory at all.
    let guarded = GuardPageBuffer::new();
    let n = expect_ok(
        "write of the last bytes",
        guarded.write(open(), b"the end", 7),
    );
    expect_eq("what it returns", n, 7);
    said.expect_records("a write of the last bytes", &["0123456789", "the end"]);
}

/// 200 bytes fit into one record, whatever they are.
#[test]
fn the_least_that_fits() {
    let _module = CONTRACT.load();
    for len in [1, 2, 3, 63, 64, 65, 127, 128, 199, 200] {
        let len = len * least() / 200;
        let said = Said::from_now();
        write(&vec![b'w'; len]);
        said.expect_records(&format!("a write of {len} bytes"), &[&"w".repeat(len)]);
    }
    for (key, byte) in [
        ("byte_ff", 0xff),
        ("nul", 0),
        ("newline", b'\n'),
        ("bell", 7),
    ] {
        let said = Said::from_now();
        // One byte at the end is text: so that the last one is no special case.
        let mut bytes = vec![byte; least() - 1];
        bytes.push(b'.');
        write(&bytes);
        let promised = shown(key).repeat(least() - 1) + ".";
        said.expect_records(
            &format!("a write of {} times {key}", least() - 1),
            &[&promised],
        );
    }
}

/// What does not fit into one record is not taken, and write says how much was.
#[test]
fn what_does_not_fit() {
    let _module = CONTRACT.load();
    let numbers: String = (0..2000).map(|n| format!("{n:05} ")).collect();
    for len in [least() + 1, 500, 900, 950, 1000, 1024, 2000, 4096, 12_000] {
        let said = Said::from_now();
        let bytes = &numbers.as_bytes()[..len];
        let done = format!("write of {len} bytes");
        let taken = expect_ok(&done, open().write(bytes));
        if taken < least() || taken > len {
            fail_requirement(&done, &format!("{} to {len}", least()), &taken.to_string());
        }
        // Exactly as much is in the record.
        said.expect_records(&done, &[&numbers[..taken]]);
    }
}

/// A caller that writes the rest again loses nothing.
#[koru_testing::all_cpus]
#[test]
fn a_loop_of_writes_loses_nothing() {
    let _module = CONTRACT.load();
    // Text and bytes that take one, two, four or six places in the log.
    let all: Vec<u8> = (0..5000u32).map(|n| (n * n / 7 + n) as u8).collect();
    let said = Said::from_now();
    let mut file = open();
    let (mut rest, mut writes) = (&all[..], 0);
    while !rest.is_empty() {
        let n = expect_ok("write of the rest", file.write(rest));
        if n == 0 || n > rest.len() {
            fail_requirement("write of the rest", "progress", &n.to_string());
        }
        // Each part by itself is shown the same as at once.
        rest = &rest[n..];
        writes += 1;
    }
    expect_eq("records", said.texts().len(), writes);
    let text: String = (0..3000).map(|n| format!("{n:05},")).collect();
    let said = Said::from_now();
    let path = path();
    let mut large = Command::new("sh");
    large.args(["-c", &format!("cat > {path}")]);
    large.stdin(std::process::Stdio::piped());
    let mut cat = large.spawn().expect("a shell");
    let input = cat.stdin.take().expect("a pipe").write_all(text.as_bytes());
    expect_ok("writing to cat", input);
    expect_eq("cat succeeds", expect_ok("cat", cat.wait()).success(), true);
    expect_eq("what cat wrote", said.texts().concat(), text);
}

/// No character is torn where a record ends.
#[test]
fn characters_stay_whole() {
    let _module = CONTRACT.load();
    for text in ["ä", "世", "🦀"] {
        for start in ["", "x", "xy", "xyz"] {
            let text = start.to_owned() + &text.repeat(1000);
            let said = Said::from_now();
            let mut file = open();
            expect_ok("writes of the whole text", file.write_all(text.as_bytes()));
            expect_eq("the records together", said.texts().concat(), text);
        }
    }
}

/// A write of no bytes gives 0 and logs nothing.
#[test]
fn a_write_of_nothing() {
    let _module = CONTRACT.load();
    let said = Said::from_now();
    expect_eq(
        "write of 0 bytes",
        expect_ok("write of 0 bytes", open().write(b"")),
        0,
    );
    said.expect_records("a write of 0 bytes", &[]);
}

/// A write from a bad address is EFAULT and logs nothing.
#[test]
fn bad_addresses() {
    let _module = CONTRACT.load();
    let said = Said::from_now();
    let memory = GuardPageBuffer::new();
    for bad in BadPointer::ALL {
        for len in [1, 200, 1 << 20] {
            let done = format!("write of {len} bytes from a bad address ({bad:?})");
            expect_errno(&done, write_bad(open(), bad, len), Errno::EFAULT);
        }
    }
    for bytes in [&b""[..], b"x", b"0123456789"] {
        let done = format!("write of 50 bytes of which {} are there", bytes.len());
        expect_errno(&done, memory.write(open(), bytes, 50), Errno::EFAULT);
    }
    said.expect_records("EFAULTs", &[]);
    write(b"a good one");
    said.expect_records("EFAULTs and a good write", &["a good one"]);
}

/// The file has mode 0666: everybody may write.
#[test]
fn everybody_writes() {
    let _module = CONTRACT.load();
    let mode = expect_ok("stat", fs::metadata(path())).permissions().mode() & 0o7777;
    let promised = CONTRACT.number("mode");
    expect_eq("the mode", format!("{mode:04o}"), format!("{promised:04o}"));
    let said = Said::from_now();
    let printf = as_nobody(&format!("printf nobody > {}", path()));
    expect_eq("nobody can write", printf.status.success(), true);
    said.expect_records("a write by nobody", &["nobody"]);
}

/// Children, threads, and whoever was sent the descriptor write like any other.
#[koru_testing::all_cpus]
#[test]
fn writes_by_others() {
    let _module = CONTRACT.load();
    let said = Said::from_now();
    let mut sent = send_in_flight(open())();
    expect_ok("write by who was sent it", sent.write(b"sent"));
    let mut child = Command::new("sh");
    child.args(["-c", "printf inherited"]);
    child.stdout(expect_ok("dup", sent.try_clone()));
    expect_eq(
        "a child succeeds",
        expect_ok("a child", child.status()).success(),
        true,
    );
    let thread = thread::spawn(move || sent.write(b"a thread"));
    expect_ok("write by a thread", thread.join().expect("the thread"));
    said.expect_records("three writes", &["sent", "inherited", "a thread"]);
}

/// Two hundred processes that write at once make a record each, none of them
/// mixed.
#[koru_testing::all_cpus]
#[test]
fn two_hundred_processes() {
    let _module = CONTRACT.load();
    let said = Said::from_now();
    let text = |n: usize| format!("process {n:03} ").repeat(10);
    let script = |n| format!("printf '{}' > {}", text(n), path());
    for output in at_once(200, script) {
        expect_eq("one of 200 succeeds", output.status.success(), true);
    }
    let mut texts = said.texts();
    texts.sort();
    let promised: Vec<String> = (0..200).map(text).collect();
    expect_eq("the records, sorted", texts, promised);
}

/// Threads that write at once, on one descriptor too, make a record each.
#[koru_testing::all_cpus]
#[test]
fn racing_threads() {
    let _module = CONTRACT.load();
    let said = Said::from_now();
    let shared = open();
    let text = |i: usize, n: usize| format!("thread {i} write {n:02} ").repeat(8);
    thread::scope(|s| {
        for i in 0..6 {
            let shared = &shared;
            s.spawn(move || {
                let own = open();
                for n in 0..30 {
                    let mut file = if n % 2 == 0 { &own } else { shared };
                    let text = text(i, n);
                    let taken = expect_ok("a racing write", file.write(text.as_bytes()));
                    expect_eq("what a racing write returns", taken, text.len());
                }
            });
        }
    });
    let mut texts = said.texts();
    texts.sort();
    let all = (0..6).flat_map(|i| (0..30).map(move |n| text(i, n)));
    expect_eq("the records, sorted", texts, all.collect::<Vec<_>>());
}

/// The file is there while the module is loaded, and only then.
#[test]
fn comes_and_goes_with_the_module() {
    files::comes_and_goes(&file());
}

/// The module can be unloaded while the file is open; writes are EIO from then on.
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

/// A second insmod is EEXIST and changes nothing.
#[test]
fn loading_twice() {
    files::loading_twice(&file(), "minimal_proc_lkm");
}

/// When the file's name is taken the load fails, and the other's file stays.
#[test]
fn a_name_that_is_taken() {
    files::taken_name(&file(), "minimal_proc_lkm", "kt_same_file");
}

/// `modinfo` shows license, author, description and version.
#[test]
fn modinfo_tells_who_and_what() {
    expect_modinfo("minimal_proc_lkm", &[]);
}
