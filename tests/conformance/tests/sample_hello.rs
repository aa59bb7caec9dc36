// SPDX-License-Identifier: MIT OR Apache-2.0

//! `sample_hello`: parameters, a tag, and a buffer.

use std::{fs, io, sync::LazyLock};

use koru_testing::{Log, Module, is_loaded};
use koru_tests::{
    Contract, Errno, contract, expect_eq, expect_errno, expect_modinfo, expect_ok,
    expect_out_of_range,
};

koru_testing::test_file!(one_cpu);

static CONTRACT: LazyLock<Contract> = contract!("sample_hello");

const MODULE: &str = "sample_hello";

/// The records with the tag, from the tag on.
fn tagged(log: &Log) -> Vec<String> {
    let tag = CONTRACT.text("tag");
    let records = log.records().into_iter();
    let from = |r: koru_testing::LogRecord| r.text.find(tag).map(|at| r.text[at..].to_owned());
    records.filter_map(from).collect()
}

/// How many of them end like this.
fn count(log: &Log, end: &str) -> usize {
    tagged(log).iter().filter(|r| r.ends_with(end)).count()
}

fn load(params: &[&str]) -> io::Result<Module> {
    Module::load(MODULE, params)
}

fn greeting(whom: &str) -> String {
    CONTRACT.text("hello").to_owned() + whom
}

fn buffer(size: i64) -> String {
    format!("{size}{}", CONTRACT.text("size"))
}

/// The value of a parameter in /sys.
#[track_caller]
fn in_sys(name: &str) -> String {
    let path = format!("/sys/module/{MODULE}/parameters/{name}");
    let value = expect_ok(&format!("reading {path}"), fs::read_to_string(path));
    value.trim_end().to_owned()
}

/// Without parameters it greets the world once.
#[test]
fn greets_the_world() {
    let log = Log::from_now();
    let module = CONTRACT.load();
    let whom = CONTRACT.text("default.whom");
    expect_eq("greetings after insmod", count(&log, &greeting(whom)), 1);
    let log = Log::from_now();
    expect_ok("rmmod", module.unload());
    let goodbye = CONTRACT.text("goodbye").to_owned() + whom;
    expect_eq("goodbyes after rmmod", count(&log, &goodbye), 1);
    expect_eq("greetings after rmmod", count(&log, &greeting(whom)), 0);
}

/// `whom` is greeted, `repeat` times.
#[test]
fn whom_and_repeat() {
    for (whom, repeat) in [
        ("you", 1),
        ("class", 2),
        ("x", 3),
        ("7%s%n", 10),
        ("all", 100),
    ] {
        let log = Log::from_now();
        let params = [format!("whom={whom}"), format!("repeat={repeat}")];
        let _module = CONTRACT.load_with(&params.each_ref().map(String::as_str));
        let done = format!("greetings with {}", params.join(" "));
        expect_eq(&done, count(&log, &greeting(whom)), repeat);
    }
}

/// `whom` may have spaces, in quotes, and letters of all languages.
#[test]
fn whom_is_any_text() {
    for whom in ["the whole class", "Jürgen", "世界"] {
        let log = Log::from_now();
        let _module = CONTRACT.load_with(&[&format!("whom=\"{whom}\"")]);
        expect_eq("greetings", count(&log, &greeting(whom)), 1);
    }
}

/// `whom` cannot forge a line of the log.
#[test]
fn whom_forges_nothing() {
    let log = Log::from_now();
    let _module = CONTRACT.load_with(&["whom=\"x\nforged: by a parameter\""]);
    let records = log.records();
    let forged = records.iter().any(|r| r.text.starts_with("forged"));
    expect_eq("there is a record of its own", forged, false);
    let lines = |r: &koru_testing::LogRecord| r.text.lines().count();
    let most = records.iter().map(lines).max();
    expect_eq("lines in a record", most, Some(1));
}

/// `repeat` is 1 to 100; with any other value loading fails with EINVAL.
#[test]
fn repeat_out_of_bounds() {
    let most = CONTRACT.number("most.repeat");
    for repeat in [
        0,
        -1,
        most + 1,
        1000,
        i64::from(i32::MAX),
        i64::from(i32::MIN),
    ] {
        let log = Log::from_now();
        let param = format!("repeat={repeat}");
        expect_errno(
            &format!("insmod with {param}"),
            load(&[&param]),
            Errno::EINVAL,
        );
        expect_eq("it is loaded", is_loaded(MODULE), false);
        let whom = CONTRACT.text("default.whom");
        expect_eq("greetings", count(&log, &greeting(whom)), 0);
    }
    for repeat in [1, most] {
        drop(CONTRACT.load_with(&[&format!("repeat={repeat}")]));
    }
}

/// `buffer_size` is 1 to 4194304; with any other value loading fails with EINVAL.
#[test]
fn buffer_size_out_of_bounds() {
    let most = CONTRACT.number("most.buffer_size");
    for size in [0, -1, most + 1, 2 * most, i64::from(i32::MAX)] {
        let param = format!("buffer_size={size}");
        expect_errno(
            &format!("insmod with {param}"),
            load(&[&param]),
            Errno::EINVAL,
        );
        expect_eq("it is loaded", is_loaded(MODULE), false);
    }
}

/// What is no number is EINVAL.
#[test]
fn no_numbers() {
    for param in ["repeat=x", "repeat=", "buffer_size=large", "buffer_size=1k"] {
        expect_errno(
            &format!("insmod with {param}"),
            load(&[param]),
            Errno::EINVAL,
        );
        expect_eq("it is loaded", is_loaded(MODULE), false);
    }
}

/// Loading it logs the size of the buffer that it has filled.
#[test]
fn the_size_is_logged() {
    let default = CONTRACT.number("default.buffer_size");
    let log = Log::from_now();
    drop(CONTRACT.load());
    expect_eq("it is in the log", count(&log, &buffer(default)) >= 1, true);
    let most = CONTRACT.number("most.buffer_size");
    for size in [1, 2, 4095, 4097, 1 << 20, most] {
        let log = Log::from_now();
        let _module = CONTRACT.load_with(&[&format!("buffer_size={size}")]);
        expect_eq("it is in the log", count(&log, &buffer(size)) >= 1, true);
    }
}

/// The buffer is freed on unload: a thousand of 4 MiB are more than the machine
/// has.
#[test]
fn the_buffer_is_freed() {
    let size = format!("buffer_size={}", CONTRACT.number("most.buffer_size"));
    let total = fs::read_to_string("/proc/meminfo").expect("/proc/meminfo");
    let total = total.split_whitespace().nth(1).and_then(|n| n.parse().ok());
    let total: i64 = total.expect("MemTotal: so many kB");
    let rounds = 2 * total * 1024 / CONTRACT.number("most.buffer_size");
    for _ in 0..rounds.max(10) {
        expect_ok("rmmod", CONTRACT.load_with(&[&size]).unload());
    }
}

/// Every message carries the tag.
#[test]
fn every_message_has_the_tag() {
    let log = Log::from_now();
    drop(CONTRACT.load_with(&["repeat=3", "whom=everybody"]));
    let _ = load(&["repeat=0"]);
    let _ = load(&["buffer_size=0"]);
    let ours = [
        MODULE,
        CONTRACT.text("hello"),
        CONTRACT.text("goodbye"),
        "everybody",
    ];
    for record in log.records() {
        let text = &record.text;
        // What the loader says, and the kernel's parser.
        let others = ["taint", "invalid for parameter"];
        if ours.iter().any(|o| text.contains(o)) && !others.iter().any(|o| text.contains(o)) {
            let tag = text.contains(CONTRACT.text("tag"));
            expect_eq(&format!("the tag is in {text:?}"), tag, true);
            expect_eq("lines in a record", text.lines().count(), 1);
        }
    }
}

/// The parameters can be read under /sys/module, by everybody, and not written.
#[test]
fn parameters_in_sys() {
    let module = CONTRACT.load();
    expect_eq("whom", in_sys("whom"), CONTRACT.text("default.whom"));
    for name in ["repeat", "buffer_size"] {
        let default = CONTRACT.number(&format!("default.{name}")).to_string();
        expect_eq(name, in_sys(name), default);
    }
    drop(module);
    let _module = CONTRACT.load_with(&["whom=you", "repeat=7", "buffer_size=4097"]);
    expect_eq("whom", in_sys("whom"), "you");
    expect_eq("repeat", in_sys("repeat"), "7");
    expect_eq("buffer_size", in_sys("buffer_size"), "4097");
    for name in ["whom", "repeat", "buffer_size"] {
        use std::os::unix::fs::PermissionsExt;
        let path = format!("/sys/module/{MODULE}/parameters/{name}");
        let mode = expect_ok("stat", fs::metadata(path)).permissions().mode() & 0o777;
        expect_eq("the mode", format!("{mode:04o}"), "0444");
    }
}

/// A second insmod while it is loaded is refused.
#[test]
fn loading_twice() {
    let _module = CONTRACT.load();
    expect_errno("insmod of a loaded module", load(&[]), Errno::EEXIST);
    expect_eq("it is still loaded", is_loaded(MODULE), true);
}

/// `modinfo` shows license, author, description, version and the parameters.
#[test]
fn modinfo_tells_who_and_what() {
    expect_modinfo(MODULE, &["whom", "repeat", "buffer_size"]);
}

/// A number that is too large for its parameter is refused.
#[test]
fn numbers_too_large() {
    expect_out_of_range(MODULE, &["repeat", "buffer_size"]);
}
