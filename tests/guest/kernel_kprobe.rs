//! Probes on kernel functions, on the module `kt_kprobe`.

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom},
};

use koru_testing::{Module, is_loaded};
use koru_tests::{EINVAL, errno, exists};

const FILE: &str = "/proc/kt_kprobe";
const ENOENT: i32 = 2;

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
    assert!(fs::read_to_string(FILE).unwrap().starts_with("ksys_lseek "));
    let mut file = File::open("/proc/self/exe").unwrap();
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

#[test]
fn coming_and_going_under_calls() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let done = AtomicBool::new(false);
    std::thread::scope(|s| {
        for _ in 0..2 {
            s.spawn(|| {
                let mut file = File::open("/proc/self/exe").unwrap();
                while !done.load(Ordering::Relaxed) {
                    file.seek(SeekFrom::Start(7)).unwrap();
                    // Emulated processors take turns, and this ends one's.
                    std::hint::spin_loop();
                }
            });
        }
        for _ in 0..20 {
            let module = Module::load("kt_kprobe", &[]).unwrap();
            let [before, ..] = seen();
            while seen()[0] < before + 100 {
                std::thread::yield_now();
            }
            module.unload().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}
