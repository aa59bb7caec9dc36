// SPDX-License-Identifier: MIT OR Apache-2.0

//! Memory, on the module `kt_alloc`.

use std::fs;

use koru_testing::{Log, Module, kernel_may_say, skip};
use koru_tests::has_kasan;

koru_testing::test_file!(one_cpu);

const MODULE: &str = "kt_alloc";

/// How many objects of a slab cache are in use.
fn active(cache: &str) -> i64 {
    let text = fs::read_to_string("/proc/slabinfo").unwrap();
    let mut fields = text
        .lines()
        .map(|l| l.split_whitespace())
        .filter_map(|mut f| (f.next()? == cache).then_some(f));
    let mut fields = fields
        .next()
        .unwrap_or_else(|| panic!("no {cache} in {text}"));
    fields.next().unwrap().parse().unwrap()
}

/// Skips a test that counts objects which have been freed.
fn skip_where_freed_memory_is_kept() {
    if has_kasan() {
        skip("KASAN keeps what was freed for a while, so counting says nothing");
    }
}

#[test]
fn the_modules_own_checks() {
    let log = Log::from_now();
    let loaded = Module::load(MODULE, &[]);
    let messages = log.messages("kt_alloc: ");
    drop(loaded.unwrap_or_else(|e| panic!("{e}: {messages:?}")));
    assert_eq!(
        messages,
        [
            "boxes are right",
            "nothing is right",
            "alignment is right",
            "growth is right",
            "failures are right"
        ]
    );
}

#[test]
fn a_failure_is_quiet() {
    let log = Log::from_now();
    drop(Module::load(MODULE, &[]).unwrap());
    let loud: Vec<_> = log
        .records()
        .into_iter()
        .filter(|r| r.level <= 4 && !r.text.starts_with("kt_alloc: "))
        .collect();
    assert!(loud.is_empty(), "{loud:?}");
}

/// Boxes of 2048 bytes are all that some tests here allocate in this cache; the
/// rest of the system has a few of them.
const CACHE: &str = "kmalloc-2k";
const BOXES: i64 = 1000;

#[test]
fn memory_is_taken_and_given_back() {
    skip_where_freed_memory_is_kept();
    let params = format!("keep={BOXES}");
    let before = active(CACHE);
    let module = Module::load(MODULE, &[&params]).unwrap();
    let held = active(CACHE) - before;
    assert!(held >= BOXES - 100, "{held} held");
    module.unload().unwrap();
    for _ in 0..5 {
        drop(Module::load(MODULE, &[&params]).unwrap());
    }
    let left = active(CACHE) - before;
    assert!(left < BOXES / 4, "{left} of {} left", 6 * BOXES);
}

/// The measure above can tell.
#[test]
fn a_leak_would_be_seen() {
    kernel_may_say("objects of kmalloc-");
    let before = active(CACHE);
    drop(Module::load(MODULE, &[&format!("keep={BOXES}"), "leak=1"]).unwrap());
    let left = active(CACHE) - before;
    assert!(left >= BOXES - 100, "{left} left");
}

#[test]
fn vectors_free_all_sizes() {
    skip_where_freed_memory_is_kept();
    let caches = [
        "kmalloc-64",
        "kmalloc-128",
        "kmalloc-512",
        "kmalloc-1k",
        "kmalloc-2k",
    ];
    let before = caches.map(active);
    // 40 turns of 100 vectors each.
    drop(Module::load(MODULE, &["turns=40"]).unwrap());
    for (cache, before) in caches.iter().zip(before) {
        let left = active(cache) - before;
        assert!(left < 400, "{left} left in {cache}");
    }
}
