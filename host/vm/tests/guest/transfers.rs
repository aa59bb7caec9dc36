// SPDX-License-Identifier: MIT OR Apache-2.0

//! Large transfers, and a flood of log records.

use std::{io::Write, thread, time::Instant};

use koru_protocol::Exec;
use koru_session::ProcessEvent;
use koru_vm::Guest;

use crate::{resuming, sh, shared, text};

/// Bytes that no two files share.
fn noise(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Several at once send and fetch files, and have commands echo their input.
fn much_goes_both_ways(guest: &Guest) {
    const LENGTHS: [usize; 8] = [0, 1, 60, 64, 4097, 256 << 10, 300_001, 3 << 20];
    let rate = |what: &str, start: Instant| {
        let mb = 20.0 / start.elapsed().as_secs_f64();
        eprintln!("{what}: {mb:.1} MB/s");
    };
    let session = guest.session();
    let large = noise(20 << 20, 99);
    let start = Instant::now();
    session.put_file("/tmp/large", 0o600, &large).unwrap();
    rate("to the guest", start);
    let start = Instant::now();
    assert!(session.get_file("/tmp/large").unwrap() == large);
    rate("from the guest", start);
    let start = Instant::now();
    let out = session.output(sh("cat /tmp/large; rm /tmp/large")).unwrap();
    rate("a command's output", start);
    assert!(out.stdout == large);
    thread::scope(|s| {
        for n in 0..4 {
            s.spawn(move || {
                for length in LENGTHS {
                    let content = noise(length, n * 1000 + length as u32);
                    let path = format!("/tmp/many/{n}");
                    session.put_file(&path, 0o600, &content).unwrap();
                    assert!(session.get_file(&path).unwrap() == content);
                    let cat = Exec {
                        stdin: true,
                        ..Exec::new(["cat"])
                    };
                    let process = session.exec(cat).unwrap();
                    let mut input = process.stdin();
                    let sent = content.clone();
                    let writer = thread::spawn(move || {
                        input.write_all(&sent).unwrap();
                        input.close().unwrap();
                    });
                    let mut echo = Vec::new();
                    loop {
                        match process.next().unwrap() {
                            ProcessEvent::Stdout(bytes) => echo.extend(bytes),
                            ProcessEvent::Exited(exit) => break assert!(exit.success()),
                            _ => {}
                        }
                    }
                    writer.join().unwrap();
                    assert!(echo == content, "{length} bytes");
                }
            });
        }
    });
}

#[test]
#[ignore = "takes long"]
fn booted_guest_transfers_large_files() {
    let Some(guest) = shared() else { return };
    much_goes_both_ways(guest);
}

#[test]
fn resumed_guest_transfers_large_files() {
    let cache = tempfile::tempdir().unwrap();
    let Some(mut config) = resuming(cache.path()) else {
        return;
    };
    config.cpus = 2;
    much_goes_both_ways(&Guest::start(config).unwrap());
}

#[test]
fn log_flood_is_complete() {
    const RECORDS: usize = 20_000;
    let Some(guest) = shared() else { return };
    let session = guest.session();
    let begin = session.mark().unwrap();
    // The log's ring holds a megabyte: slower reading would lose some.
    text(guest, "echo on >/proc/sys/kernel/printk_devkmsg");
    text(
        guest,
        &format!("for i in $(seq {RECORDS}); do echo \"<6>flood $i\"; done >/dev/kmsg"),
    );
    session.mark().unwrap();
    let log = session.log_since(begin);
    let said = log
        .iter()
        .filter_map(|r| r.text.strip_prefix("flood ")?.parse::<usize>().ok());
    assert!(said.eq(1..=RECORDS), "{} records", log.len());
    assert!(!session.log_has_gaps());
}
