// SPDX-License-Identifier: MIT OR Apache-2.0

//! Requirements on loading and unloading a module with its file.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::FileExt,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use koru_testing::{Module, is_loaded, kernel_may_say};
use nix::errno::Errno;

use super::served::{Served, exists, read_all, read_once, text};
use crate::{
    contract::{expect_eq, expect_err, expect_errno, expect_ok},
    descriptors::send_in_flight,
};

/// Requires that the file exists exactly while the module is loaded.
#[track_caller]
pub fn comes_and_goes(file: &Served) {
    for _ in 0..2 {
        expect_eq("the file is there before insmod", exists(file.path), false);
        let module = file.load();
        expect_eq("the file is there after insmod", exists(file.path), true);
        expect_ok("rmmod", module.unload());
        expect_eq("the file is there after rmmod", exists(file.path), false);
    }
}

/// Requires that the module can be unloaded while the file is open.
///
/// Reads fail with `EIO` from then on, also after the module is loaded again.
#[track_caller]
pub fn unload_while_open(file: &Served) {
    let module = file.load();
    let mut begun = file.open();
    read_once(&mut begun, 1);
    let mut unused = file.open();
    let sent = send_in_flight(file.open());
    let name = module.name().to_owned();
    expect_ok("rmmod while the file is open", module.unload());
    expect_eq("the module is there after rmmod", is_loaded(&name), false);
    expect_eq("the file is there after rmmod", exists(file.path), false);
    let mut sent = sent();
    let refused = |opened: &mut File| {
        let read = opened.read(&mut [0; 64]);
        expect_errno("read after rmmod", read, Errno::EIO);
        let read = opened.read_at(&mut [0; 64], 0);
        expect_errno("pread after rmmod", read, Errno::EIO);
    };
    refused(&mut begun);
    refused(&mut unused);
    refused(&mut sent);
    let _module = file.load();
    refused(&mut begun);
    file.check("the file of the module's next load", &read_all(file.path));
}

/// Requires that the module can be unloaded while others open and read, which get whole contents or
/// `EIO`.
#[track_caller]
pub fn unload_under_readers(file: &Served) {
    let done = AtomicBool::new(false);
    let good = AtomicUsize::new(0);
    let reader = || {
        while !done.load(Ordering::Relaxed) {
            let Ok(opened) = File::open(file.path) else {
                thread::yield_now();
                continue;
            };
            for _ in 0..20 {
                let mut buffer = [0; 4096];
                match opened.read_at(&mut buffer, 0) {
                    Ok(n) => {
                        file.check("pread while others unload", &buffer[..n]);
                        good.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(e) => {
                        expect_errno("pread after rmmod", Err::<(), _>(e), Errno::EIO);
                        break;
                    }
                }
            }
        }
    };
    load_and_unload(file, &done, &good, reader);
}

/// Requires that the module can be unloaded while others open and write, whose writes succeed or
/// fail with `EIO`.
#[track_caller]
pub fn unload_under_writers(file: &Served, message: &[u8]) {
    let done = AtomicBool::new(false);
    let good = AtomicUsize::new(0);
    let writer = || {
        while !done.load(Ordering::Relaxed) {
            let Ok(mut opened) = OpenOptions::new().write(true).open(file.path) else {
                thread::yield_now();
                continue;
            };
            loop {
                match opened.write(message) {
                    Ok(n) => expect_eq("write while others unload", n, message.len()),
                    Err(e) => {
                        expect_errno("write after rmmod", Err::<(), _>(e), Errno::EIO);
                        break;
                    }
                }
                good.fetch_add(1, Ordering::Relaxed);
                thread::yield_now();
            }
        }
    };
    load_and_unload(file, &done, &good, writer);
}

/// Loads and unloads the module several times, each time after `user` has made some more successful
/// calls.
#[track_caller]
fn load_and_unload(
    file: &Served,
    done: &AtomicBool,
    good: &AtomicUsize,
    user: impl Fn() + Sync + Copy + Send,
) {
    thread::scope(|s| {
        let users: Vec<_> = (0..4).map(|_| s.spawn(user)).collect();
        for _ in 0..20 {
            let before = good.load(Ordering::Relaxed);
            let module = file.load();
            while good.load(Ordering::Relaxed) < before + 10
                && !users.iter().any(thread::ScopedJoinHandle::is_finished)
            {
                thread::yield_now();
            }
            let unloaded = module.unload();
            if unloaded.is_err() {
                done.store(true, Ordering::Relaxed);
            }
            expect_ok("rmmod while the file is in use", unloaded);
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// Requires that the module can be unloaded while the file is open.
///
/// Writes fail with `EIO` from then on, also after the module is loaded again.
#[track_caller]
pub fn write_after_unload(file: &Served) {
    let module = file.load();
    let open = || expect_ok("open", OpenOptions::new().write(true).open(file.path));
    let (mut used, mut unused) = (open(), open());
    expect_ok("write", used.write(b"before"));
    expect_ok("rmmod while the file is open", module.unload());
    let refused = |opened: &mut File| {
        expect_errno("write after rmmod", opened.write(b"after"), Errno::EIO);
    };
    refused(&mut used);
    refused(&mut unused);
    let _module = file.load();
    refused(&mut used);
    file.read_and_check("the file of the module's next load");
}

/// Requires that a second insmod fails with `EEXIST` and changes nothing.
#[track_caller]
pub fn loading_twice(file: &Served, module: &str) {
    let _module = file.load();
    let second = Module::load(module, &[]);
    expect_errno("insmod of a loaded module", second, Errno::EEXIST);
    file.read_and_check("the content after it");
}

/// Requires that the load fails if a file of that name exists, whose content stays as it was, and
/// the other way round.
///
/// `another` is the module `kt_same_file`: a test's own source names all modules that it loads.
#[track_caller]
pub fn taken_name(file: &Served, module: &str, another: &str) {
    // The kernel's proc_create() says this itself, which is not a fault of the module.
    kernel_may_say("already registered");
    let name = file.path.strip_prefix("/proc/").expect("a file in /proc");
    let same = format!("file={name}");
    let others = "somebody else's\n";
    let other = expect_ok("insmod of another", Module::load(another, &[&same]));
    let load = Module::load(module, &[]);
    expect_err("insmod when the file is there already", load);
    expect_eq("it is loaded after that", is_loaded(module), false);
    expect_eq("the other's file", text(&read_all(file.path)), others);
    expect_ok("rmmod of the other", other.unload());
    expect_eq(
        "the file is there after both are gone",
        exists(file.path),
        false,
    );
    let module = file.load();
    let other = Module::load(another, &[&same]);
    expect_err("insmod of another with our file", other);
    file.read_and_check("our file after that");
    expect_ok("rmmod", module.unload());
    expect_eq(
        "the file is there after both are gone",
        exists(file.path),
        false,
    );
}
