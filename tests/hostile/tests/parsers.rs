// SPDX-License-Identifier: MIT OR Apache-2.0

//! Parsers of what guests send, and of files that others made.
#![forbid(unsafe_code)]

use std::{fs, path::Path, process::Command};

use koru_decode::{CodeLayout, Decoder, Sources, Symbols, module_name};
use koru_hostile::for_a_while;
use koru_judge::Seed;
use koru_kernels::Config;
use koru_klog::{Finder, Found};
use koru_protocol::{ToGuest, ToHost, parse_kmsg, unpack};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};

/// Tries values of a strategy, the same ones in each run of the same length.
fn try_all<S: Strategy>(strategy: &S, mut check: impl FnMut(S::Value)) {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    for_a_while(|| check(strategy.new_tree(&mut runner).expect("a case").current()));
}

/// A file with some bytes changed, a part copied over another one, or cut off.
fn damaged(original: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = original.len();
    let interesting = prop_oneof![
        Just(0u8),
        Just(1),
        Just(0x7f),
        Just(0x80),
        Just(0xff),
        any::<u8>(),
    ];
    let changes = proptest::collection::vec((0..length, interesting), 0..12);
    let copy = (0..length, 0..length, 0..64usize);
    let cut = prop_oneof![9 => Just(length), 1 => 0..length];
    (changes, copy, any::<bool>(), cut).prop_map(move |(changes, copy, copies, cut)| {
        let mut bytes = original.clone();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        let (from, to, size) = copy;
        if copies {
            let end = (from + size)
                .min(length - (to.max(from) - from).min(length))
                .max(from);
            let part = bytes[from..end.min(length)].to_vec();
            let room = part.len().min(length - to);
            bytes[to..to + room].copy_from_slice(&part[..room]);
        }
        bytes.truncate(cut);
        bytes
    })
}

#[test]
fn messages() {
    try_all(&proptest::collection::vec(any::<u8>(), 0..300), |bytes| {
        let _ = unpack::<ToHost>(&bytes).count();
        let _ = unpack::<ToGuest>(&bytes).count();
        let _ = parse_kmsg(&bytes);
        let _ = module_name(&bytes);
    });
}

#[test]
fn records_of_kmsg() {
    let record =
        r"[0-9]{0,25},[0-9]{0,25},[0-9]{0,25},[-cE]{0,2}(,.{0,9})?;.{0,40}(\\x[0-9a-f]{0,2}){0,3}";
    try_all(&record, |text| {
        let _ = parse_kmsg(text.as_bytes());
    });
}

/// Returns lines that reports consist of, from the logs of real kernels.
fn lines() -> Vec<String> {
    let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../host/decode/tests/logs");
    let mut lines = Vec::new();
    for entry in fs::read_dir(logs).expect("logs").flatten() {
        let text = fs::read(entry.path()).unwrap_or_default();
        lines.extend(String::from_utf8_lossy(&text).lines().map(str::to_owned));
    }
    assert!(lines.len() > 100);
    lines
}

/// Reads a log as `koru decode` does. The lines go in and come out again.
fn read_log(lines: &[String]) {
    let decoder = Decoder::new(Sources::default(), |_, _| Vec::new());
    let mut finder = Finder::default();
    let mut found = Vec::new();
    for line in lines {
        let text = koru_klog::plain_line(line);
        let (before, text) = koru_klog::split_line(&text);
        found.extend(finder.push_from(koru_klog::caller(before), (), text));
        let _ = koru_klog::complaint(text);
    }
    found.extend(finder.flush());
    for found in found {
        if let Found::Report(report) = found {
            let _ = decoder.decode(&*report);
        }
    }
}

#[test]
fn logs_in_any_order() {
    let lines = lines();
    let some = proptest::collection::vec((0..lines.len(), 1..12usize), 0..40);
    try_all(&some, |places| {
        let pieces = places
            .into_iter()
            .flat_map(|(at, n)| lines[at..].iter().take(n));
        read_log(&pieces.cloned().collect::<Vec<_>>());
    });
}

#[test]
fn logs_with_damaged_lines() {
    let text = lines().join("\n").into_bytes();
    let begin = 0..text.len();
    let whole = text.clone();
    let part = (begin, 200..6000usize).prop_flat_map(move |(at, size)| {
        let end = (at + size).min(whole.len());
        damaged(whole[at..end].to_vec())
    });
    try_all(&part, |bytes| {
        let text = String::from_utf8_lossy(&bytes);
        let _ = koru_klog::panic_reason(&text);
        let _ = koru_klog::evidence(&text);
        let _ = koru_klog::console_records_after(&text, None);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        read_log(&lines);
    });
}

const SOURCE: &str = "
static inline int twice(int n) { return n * 2; }
int init_module(void) { return twice(init_module != 0); }
struct { char head[24], name[56]; void *init; } this __attribute__((
    section(\".gnu.linkonce.this_module\"))) = { \"\", \"x\", init_module };
";

/// Files of modules, with debug info.
#[test]
fn modules_and_their_debug_info() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, object) = (folder.path().join("x.c"), folder.path().join("x.ko"));
    fs::write(&source, SOURCE).expect("a file");
    let gcc = Command::new("gcc")
        .args(["-g", "-O1", "-ffunction-sections", "-c", "-o"])
        .args([&object, &source])
        .status();
    assert!(gcc.is_ok_and(|status| status.success()));
    let bytes = fs::read(&object).expect("an object");
    assert!(CodeLayout::of(&bytes).is_ok());
    assert!(Symbols::read(&object).is_ok_and(|symbols| !symbols.code().is_empty()));
    let path = folder.path().join("damaged.ko");
    try_all(&damaged(bytes), |bytes| {
        if let Ok(layout) = CodeLayout::of(&bytes) {
            let _ = layout.placed(&bytes);
        }
        fs::write(&path, &bytes).expect("a file");
        if let Ok(symbols) = Symbols::read(&path) {
            let _ = symbols.code();
        }
    });
}

#[test]
fn configs_of_kernels() {
    try_all(
        &"(CONFIG_[A-Z]{0,4}=?[\"ym0-9\u{e9}]{0,4}\n|.{0,9}\n){0,9}",
        |text| {
            let config = Config::parse(&text);
            let _ = config.rustc_options();
        },
    );
}

#[test]
fn contracts() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts");
    let original = fs::read(shipped.join("byte_queue/contract.toml")).expect("a contract");
    let folder = tempfile::tempdir().expect("a folder");
    try_all(&damaged(original), |bytes| {
        fs::write(folder.path().join("contract.toml"), bytes).expect("a file");
        let _ = koru_judge::read(folder.path(), &shipped, Seed::default());
    });
}
