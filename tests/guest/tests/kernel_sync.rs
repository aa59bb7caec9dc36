// SPDX-License-Identifier: MIT OR Apache-2.0

//! Locks and counted references, on the module `kt_sync`.

use std::{fs, fs::OpenOptions, io::Write, thread};

use koru_testing::{Log, Module};

const FILE: &str = "/proc/kt_sync";

#[test]
fn nothing_is_lost_behind_a_lock() {
    let _module = Module::load("kt_sync", &[]).unwrap();
    const THREADS: usize = 8;
    const TURNS: usize = 60;
    thread::scope(|s| {
        for i in 0..THREADS {
            s.spawn(move || {
                let mut file = OpenOptions::new().write(true).open(FILE).unwrap();
                for turn in 0..TURNS {
                    let bytes: &[u8] = if (i + turn) % 2 == 0 { b"mss" } else { b"ssm" };
                    assert_eq!(file.write(bytes).unwrap(), 3);
                }
            });
        }
    });
    let total = THREADS * TURNS;
    assert_eq!(
        fs::read_to_string(FILE).unwrap(),
        format!("{total} {}\n", 2 * total)
    );
}

#[test]
fn a_value_lives_as_long_as_its_last_owner() {
    let log = Log::from_now();
    let module = Module::load("kt_sync", &[]).unwrap();
    assert_eq!(
        log.messages("kt_sync: "),
        [
            "references are right",
            "changed is dropped",
            "object is dropped"
        ]
    );
    let log = Log::from_now();
    module.unload().unwrap();
    assert_eq!(
        log.messages("kt_sync: "),
        [
            "first is dropped",
            "second is dropped",
            "the keeper of kept is dropped",
            "kept is dropped"
        ]
    );
}
