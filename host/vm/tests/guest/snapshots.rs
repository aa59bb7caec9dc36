// SPDX-License-Identifier: MIT OR Apache-2.0

//! Guests that resume from a snapshot.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    thread,
};

use koru_protocol::Death;
use koru_vm::{Event, Guest, GuestConfig};

use crate::{resuming, sh, text};

/// The number of starts of which one has to resume. About one guest in a thousand crashes as it
/// resumes: it boots instead, and the next start makes the snapshot anew.
const ATTEMPTS: usize = 3;

/// What a guest's events said.
fn watched(mut config: GuestConfig) -> (Guest, Vec<Event>) {
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let seen = events.clone();
    config.on_event(move |e| seen.lock().unwrap().push(e.clone()));
    let guest = Guest::start(config).unwrap();
    let events = events.lock().unwrap().clone();
    (guest, events)
}

fn host_time() -> u64 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn resumed_guests_have_their_own_clock_and_seed() {
    let cache = tempfile::tempdir().unwrap();
    let start = |n: u32| {
        let mut config = resuming(cache.path())?;
        let content = format!("file of {n}\n").into_bytes();
        config.files.bytes("/etc/own", 0o640, content.clone());
        config
            .files
            .bytes("/deep/er/large", 0o755, vec![n as u8; 3 << 20]);
        config.files.symlink("/link", "etc/own");
        let (guest, events) = watched(config);
        assert_eq!(text(&guest, "cat /link"), format!("file of {n}"));
        assert_eq!(text(&guest, "stat -c %a /etc/own"), "640");
        let size = text(&guest, "tr -d '\\0' </dev/null; wc -c </deep/er/large");
        assert_eq!(size, (3 << 20).to_string());
        let time: u64 = text(&guest, "date +%s").parse().unwrap();
        assert!(time.abs_diff(host_time()) < 20, "{time}");
        let random = text(
            &guest,
            "head -c 16 /dev/urandom | hexdump -v -e '/1 \"%02x\"'",
        );
        let kernels_own = text(&guest, "cat /proc/sys/kernel/random/uuid");
        Some((events, random, kernels_own))
    };
    let Some((events, ..)) = start(0) else { return };
    assert!(events.contains(&Event::Saving), "{events:?}");
    let mut seen = Vec::new();
    let both = (0..ATTEMPTS).find_map(|_| {
        let (first, second) = thread::scope(|s| {
            let (a, b) = (s.spawn(|| start(1)), s.spawn(|| start(2)));
            (a.join().unwrap().unwrap(), b.join().unwrap().unwrap())
        });
        let resumed = [&first.0, &second.0].map(|events| *events == [Event::Resuming]);
        seen.push([first.0.clone(), second.0.clone()]);
        (resumed == [true; 2]).then_some((first, second))
    });
    let (first, second) = both.unwrap_or_else(|| panic!("it was there: {seen:#?}"));
    assert_ne!(first.1, second.1, "random bytes");
    assert_ne!(first.2, second.2, "the kernel's own random bytes");
}

#[test]
#[ignore = "takes long"]
fn hundred_guests_resume_four_at_a_time() {
    let cache = tempfile::tempdir().unwrap();
    if resuming(cache.path()).is_none() {
        return;
    }
    let seeds = Mutex::new(std::collections::BTreeSet::new());
    let failures = Mutex::new(Vec::new());
    let next = std::sync::atomic::AtomicUsize::new(0);
    thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| {
                while next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 100 {
                    let (guest, events) = watched(resuming(cache.path()).unwrap());
                    let failed = |e: &Event| matches!(e, Event::NotResumed { .. });
                    let failed = events.into_iter().filter(failed);
                    failures.lock().unwrap().extend(failed);
                    let random = text(
                        &guest,
                        "head -c 16 /dev/urandom | hexdump -v -e '/1 \"%02x\"'",
                    );
                    assert!(seeds.lock().unwrap().insert(random), "twice the same");
                    guest.power_off().unwrap();
                }
            });
        }
    });
    assert_eq!(seeds.into_inner().unwrap().len(), 100);
    // About one in a thousand crashes as it goes on, and the guest boots; the machine is
    // thrown away then, which may take it from under another's feet.
    let failures = failures.into_inner().unwrap();
    assert!(failures.len() <= 3, "{failures:#?}");
    if !failures.is_empty() {
        eprintln!("{failures:#?}");
        drop(watched(resuming(cache.path()).unwrap()));
    }
    // One machine was made at a time, by one of the four; nothing else is left.
    let kept: Vec<_> = fs::read_dir(cache.path().join("saved")).unwrap().collect();
    assert_eq!(kept.len(), 2, "the machine and its lock: {kept:?}");
}

#[test]
fn damaged_snapshot_is_not_used() {
    let cache = tempfile::tempdir().unwrap();
    let Some(config) = resuming(cache.path()) else {
        return;
    };
    drop(Guest::start(config).unwrap());
    let folders = || {
        let entries = fs::read_dir(cache.path().join("saved")).unwrap();
        let folders = entries.map(|e| e.unwrap().path()).filter(|p| p.is_dir());
        folders.collect::<Vec<_>>()
    };
    let saved = || folders()[0].clone();
    let damage: [fn(&Path); 6] = [
        |dir| {
            // Its maker was killed in the middle.
            fs::remove_file(dir.join("state")).unwrap();
            fs::rename(dir, dir.with_extension("making")).unwrap();
        },
        |dir| fs::remove_file(dir.join("meta")).unwrap(),
        |dir| fs::write(dir.join("meta"), "{}").unwrap(),
        |dir| {
            let state = dir.join("state");
            let mut bytes = fs::read(&state).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::remove_file(&state).unwrap();
            fs::write(&state, bytes).unwrap();
        },
        |dir| {
            // Somebody with the right to wrote one byte of its memory.
            use std::os::unix::fs::{FileExt, PermissionsExt};
            let ram = dir.join("ram");
            fs::set_permissions(&ram, fs::Permissions::from_mode(0o600)).unwrap();
            let file = fs::File::options().write(true).open(&ram).unwrap();
            file.write_all_at(b"x", 12345).unwrap();
        },
        |dir| fs::remove_file(dir.join("ram")).unwrap(),
    ];
    for damage in damage {
        damage(&saved());
        let (guest, events) = watched(resuming(cache.path()).unwrap());
        assert!(events.contains(&Event::Saving), "{events:?}");
        assert_eq!(text(&guest, "echo works"), "works");
        drop(guest);
        let starts = (0..ATTEMPTS).map(|_| watched(resuming(cache.path()).unwrap()).1);
        let mut seen = starts.inspect(|events| eprintln!("{events:?}"));
        assert!(seen.any(|events| events == [Event::Resuming]));
        assert_eq!(folders().len(), 1, "{:?}", folders());
    }
}

#[test]
fn files_too_large_for_a_snapshot_are_booted_with() {
    let cache = tempfile::tempdir().unwrap();
    let Some(mut config) = resuming(cache.path()) else {
        return;
    };
    config.memory_mb = 512;
    config.files.bytes("/large", 0o644, vec![7; 65 << 20]);
    let (guest, events) = watched(config);
    assert!(!events.contains(&Event::Resuming), "{events:?}");
    assert_eq!(text(&guest, "wc -c </large"), (65 << 20).to_string());
}

#[test]
fn resumed_guest_reports_boot_and_end() {
    let cache = tempfile::tempdir().unwrap();
    let Some(config) = resuming(cache.path()) else {
        return;
    };
    drop(Guest::start(config).unwrap());
    let guest = Guest::start(resuming(cache.path()).unwrap()).unwrap();
    let session = guest.session();
    let log = session.log_since(0);
    assert!(log.windows(2).all(|w| w[0].seq < w[1].seq), "{log:?}");
    let begin = session.mark().unwrap();
    text(&guest, "echo '<3>said by a test' >/dev/kmsg");
    session.mark().unwrap();
    // The kernel's own clock may have something to say as well.
    let new = session.log_since(begin);
    assert!(new.iter().all(|r| r.seq >= begin), "{new:?}");
    let said = new.iter().filter(|r| r.text.contains("said by a test"));
    assert_eq!(said.count(), 1, "{new:?}");
    // It panics like any other.
    let _ = session.output(sh("echo c >/proc/sysrq-trigger"));
    match guest.wait() {
        Death::Panicked { reason, .. } => assert!(reason.contains("sysrq"), "{reason}"),
        other => panic!("{other:?}"),
    }
    // And the next one does not know of it.
    let guest = Guest::start(resuming(cache.path()).unwrap()).unwrap();
    assert_eq!(text(&guest, "echo well"), "well");
    guest.power_off().unwrap();
}
