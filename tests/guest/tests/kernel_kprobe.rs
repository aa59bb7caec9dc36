// SPDX-License-Identifier: MIT OR Apache-2.0

//! Probes on kernel functions, on the modules `kt_kprobe` and `kt_kprobe_ready`.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{Seek, SeekFrom},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use koru_testing::{Log, Module, is_loaded};
use koru_tests::{
    Errno::{EINVAL, ENOENT},
    errno, exists,
};

koru_testing::test_file!(cpus_in_turn);

const FILE: &str = "/proc/kt_kprobe";
/// A file that seeks by the probed function: the file, the offset, and from where.
const PROBED: &str = "/dev/null";

/// How often it was hit, the last call's second argument, and how many were missed.
fn seen() -> [i64; 3] {
    let text = fs::read_to_string(FILE).unwrap();
    let numbers = text.trim_end().split(' ').skip(1);
    let numbers: Vec<i64> = numbers.map(|n| n.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

#[test]
fn a_handler_sees_the_call() {
    let module = Module::load("kt_kprobe", &[]).unwrap();
    assert!(fs::read_to_string(FILE).unwrap().starts_with("null_lseek "));
    let mut file = File::open(PROBED).unwrap();
    let [before, ..] = seen();
    file.seek(SeekFrom::Start(123_456_789)).unwrap();
    let [after, argument, missed] = seen();
    assert!(after > before, "{before} {after}");
    assert_eq!(argument, 123_456_789);
    assert_eq!(missed, 0);
    module.unload().unwrap();
    assert!(!exists(FILE));
    file.seek(SeekFrom::Start(1)).unwrap();
}

#[test]
fn functions_that_cannot_be_probed() {
    for (symbol, error) in [
        ("no_such_function_here", ENOENT),
        ("", ENOENT),
        ("%s%n", ENOENT),
        // The kernel's own list of what must not be.
        ("get_kprobe", EINVAL),
    ] {
        let symbol = format!("symbol={symbol}");
        assert_eq!(
            errno(Module::load("kt_kprobe", &[&symbol])),
            error,
            "{symbol}"
        );
        assert!(!is_loaded("kt_kprobe") && !exists(FILE), "{symbol}");
    }
}

/// Does `work` while two threads have the probed function called, which end with it.
fn under_calls(work: impl FnOnce()) {
    struct End<'a>(&'a AtomicBool);

    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let done = AtomicBool::new(false);
    std::thread::scope(|s| {
        for _ in 0..2 {
            s.spawn(|| {
                let mut file = File::open(PROBED).unwrap();
                while !done.load(Ordering::Relaxed) {
                    file.seek(SeekFrom::Start(7)).unwrap();
                    // Emulated processors take turns, and this ends one's.
                    std::hint::spin_loop();
                }
            });
        }
        let _end = End(&done);
        work();
    });
}

#[test]
fn coming_and_going_under_calls() {
    under_calls(|| {
        for _ in 0..20 {
            let module = Module::load("kt_kprobe", &[]).unwrap();
            let [before, ..] = seen();
            while seen()[0] < before + 100 {
                std::thread::yield_now();
            }
            module.unload().unwrap();
        }
    });
}

/// What the ready-made handlers have seen.
struct Ready {
    /// When, on which CPU, and three arguments.
    samples: Vec<[u64; 5]>,
    dropped: u64,
    /// The smallest value of a bucket, and how many were in it.
    buckets: Vec<[u64; 2]>,
    count: u64,
    missed: u64,
}

fn ready() -> Ready {
    let text = fs::read_to_string("/proc/kt_kprobe_ready").unwrap();
    let mut ready = Ready {
        samples: Vec::new(),
        dropped: 0,
        buckets: Vec::new(),
        count: 0,
        missed: 0,
    };
    for line in text.lines() {
        let mut words = line.split(' ');
        let what = words.next().unwrap();
        let numbers: Vec<u64> = words.map(|n| n.parse().unwrap()).collect();
        match what {
            "sample" => ready.samples.push(numbers.try_into().unwrap()),
            "dropped" => ready.dropped = numbers[0],
            "bucket" => ready.buckets.push(numbers.try_into().unwrap()),
            "count" => [ready.count, ready.missed] = numbers.try_into().unwrap(),
            _ => panic!("{line}"),
        }
    }
    ready
}

/// Takes the samples that are there.
fn empty() -> Ready {
    loop {
        let ready = ready();
        if ready.samples.is_empty() {
            return ready;
        }
    }
}

/// Offsets that are told from small ones.
const MARK: u64 = 0x0123_4000_0000_0000;

#[test]
fn ready_made_handlers() {
    let module = Module::load("kt_kprobe_ready", &[]).unwrap();
    let before = empty();
    let mut file = File::open(PROBED).unwrap();
    for offset in [0, 1, 2, 3, 4, MARK] {
        file.seek(SeekFrom::Start(offset)).unwrap();
    }
    file.stream_position().unwrap();
    let after = ready();
    assert!(after.count >= before.count + 7);
    assert_eq!((after.dropped, after.missed), (before.dropped, 0));
    let of_the_file = after.samples.last().unwrap()[2];
    assert!(of_the_file >= 0xffff_8000_0000_0000, "{of_the_file:x}");
    let mine: Vec<[u64; 2]> = after
        .samples
        .iter()
        .filter(|s| s[2] == of_the_file)
        .map(|s| [s[3], s[4]])
        .collect();
    let offsets = [0, 1, 2, 3, 4, MARK].map(|offset| [offset, 0]);
    assert!(mine.ends_with(&[offsets[5], [0, 1]]), "{mine:x?}");
    assert!(mine.windows(6).any(|w| w == offsets), "{mine:x?}");
    let times: Vec<u64> = after.samples.iter().map(|s| s[0]).collect();
    assert!(times.is_sorted(), "{times:?}");
    for (start, calls) in [(0, 2), (1, 1), (2, 2), (4, 1), (1 << 56, 1)] {
        let of = |ready: &Ready| {
            let bucket = ready.buckets.iter().find(|b| b[0] == start);
            bucket.map_or(0, |b| b[1])
        };
        assert!(of(&after) >= of(&before) + calls, "{start}");
    }
    let all: u64 = after.buckets.iter().map(|b| b[1]).sum();
    assert_eq!(all, after.count);
    // There are 32 places, and the newest have none.
    let before = empty();
    for offset in 0..50 {
        file.seek(SeekFrom::Start(MARK + offset)).unwrap();
    }
    let after = ready();
    assert_eq!(after.samples.len(), 32);
    assert!(after.samples.iter().any(|s| s[3] == MARK));
    assert!(after.samples.iter().all(|s| s[3] != MARK + 49));
    assert!(after.dropped >= before.dropped + 18);
    let (count, dropped) = (after.count - before.count, after.dropped - before.dropped);
    assert_eq!(count, dropped + 32);
    module.unload().unwrap();
}

#[test]
fn ready_made_handlers_on_all_processors() {
    const CALLS: u64 = 20_000;
    let module = Module::load("kt_kprobe_ready", &[]).unwrap();
    let before = empty();
    let done = AtomicUsize::new(0);
    let mut seen = 0;
    let mut last = [None; 2];
    let mut cpus = BTreeSet::new();
    std::thread::scope(|s| {
        for who in 0..2 {
            let done = &done;
            s.spawn(move || {
                let mut file = File::open(PROBED).unwrap();
                for n in 0..CALLS {
                    let offset = MARK + (who << 32) + n;
                    file.seek(SeekFrom::Start(offset)).unwrap();
                    // Emulated processors take turns, and this ends one's.
                    std::hint::spin_loop();
                }
                done.fetch_add(1, Ordering::Release);
            });
        }
        loop {
            let ended = done.load(Ordering::Acquire) == 2;
            let ready = ready();
            seen += ready.samples.len() as u64;
            for [_, cpu, _, offset, _] in &ready.samples {
                cpus.insert(*cpu);
                // Whole, each once, and each thread's in their order.
                if offset & MARK == MARK {
                    let (who, n) = ((offset >> 32) & 1, offset & 0xffff_ffff);
                    assert!(n < CALLS && last[who as usize].is_none_or(|l| l < n));
                    last[who as usize] = Some(n);
                }
            }
            if ended && ready.samples.is_empty() {
                let count = ready.count - before.count;
                assert!(count >= 2 * CALLS, "{count}");
                assert_eq!(count, seen + ready.dropped - before.dropped);
                assert_eq!(ready.missed, 0);
                break;
            }
        }
    });
    assert!(last.iter().all(Option::is_some), "{last:?}");
    assert!(cpus.iter().all(|c| *c < 2), "{cpus:?}");
    module.unload().unwrap();
}

#[test]
fn many_probes_come_and_go_under_calls() {
    under_calls(|| {
        let module = Module::load("kt_kprobe_ready", &["cycles=250"]).unwrap();
        module.unload().unwrap();
    });
}

#[test]
fn a_handler_that_prints_in_an_interrupt() {
    let log = Log::from_now();
    // The timer's interrupt calls it.
    let module = Module::load("kt_kprobe_ready", &["prints=update_process_times"]).unwrap();
    let said = || log.messages("kt_kprobe_ready: call ");
    while said().len() < 3 {
        std::thread::yield_now();
    }
    module.unload().unwrap();
    // One processor's message may come before another's that was called earlier.
    let mut said = said();
    said.sort();
    assert_eq!(said.len(), 3, "{said:?}");
    for (n, said) in said.iter().enumerate() {
        assert!(said.starts_with(&format!("{n}, 0x")), "{said}");
    }
}
