// SPDX-License-Identifier: MIT OR Apache-2.0

//! The module and its file: how they come and go, and who may use the file.

use std::{
    fs,
    io::{self, Read, Write},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use koru_testing::{Log, Module, is_loaded};
use koru_tests::{
    Child, Errno, NOBODY, exists, expect_eq, expect_errno, expect_modinfo, expect_ok,
    files::{self, Served},
    sync_with_parent,
};

use crate::{
    CONTRACT, deque, error, path, push, read, set_capacity, take_all, try_open, try_push, try_take,
    write,
};

/// The file is there while the module is loaded, and gone afterwards.
#[test]
fn appears_and_goes_with_the_module() {
    expect_eq("the file before insmod", exists(path()), false);
    let module = CONTRACT.load();
    expect_eq("the file after insmod", exists(path()), true);
    expect_ok("rmmod", module.unload());
    expect_eq("the file after rmmod", exists(path()), false);
}

/// Every user may open the file for reading and writing: its mode is 0666.
#[test]
fn everybody_may_use_it() {
    let _module = CONTRACT.load();
    let mode = expect_ok("stat", fs::metadata(path())).permissions().mode() & 0o7777;
    expect_eq("the file's mode", format!("{mode:04o}"), "0666");
    let mut command = Command::new("sh");
    let script = format!(
        r"exec 3<>{}; printf '\001' >&3; printf abcd >&3; head -c 4 <&3",
        path()
    );
    command.args(["-c", &script]).uid(NOBODY).gid(NOBODY);
    let output = command.output().expect("the guest has a shell");
    expect_eq(
        "capacity, write and read by the user nobody",
        String::from_utf8_lossy(&output.stdout) + &*String::from_utf8_lossy(&output.stderr),
        "abcd",
    );
}

/// Opening, reading and writing put nothing into the kernel log.
#[test]
fn nothing_is_logged() {
    let _module = CONTRACT.load();
    let log = Log::from_now();
    // Whatever comes of each: other promises speak of that.
    for _ in 0..10 {
        let file = expect_ok("open", try_open());
        for bytes in [&[2][..], &[1; 4], &[2; 4], &[3; 4], &[4]] {
            let _ = write(&file, bytes);
        }
        let _ = try_open();
        for length in [1, 4, 4, 4] {
            let _ = read(&file, &mut [0; 4][..length]);
        }
    }
    let said: Vec<String> = log.records().into_iter().map(|r| r.text).collect();
    expect_eq("the log meanwhile", said, [""; 0]);
}

/// The module can be unloaded while the file is open: the descriptor is dead from
/// then on, and has nothing to do with the module's next load.
#[test]
fn unloading_under_an_open_file() {
    let module = CONTRACT.load();
    let name = module.name().to_owned();
    let file = deque(2);
    push(&file, 2);
    let mut child = Child::fork(|channel| {
        let theirs = deque(2);
        push(&theirs, 3);
        sync_with_parent(channel);
        expect_errno("read after rmmod", try_take(&theirs), Errno::EIO);
        expect_errno("write after rmmod", try_push(&theirs, 1), Errno::EIO);
        drop(theirs);
        sync_with_parent(channel);
        drop(expect_ok("open after the next insmod", try_open()));
    });
    child.wait_for();
    expect_ok("rmmod while the file is open", module.unload());
    expect_eq("/sys/module has it after rmmod", is_loaded(&name), false);
    expect_eq("the file after rmmod", exists(path()), false);
    child.go_on();
    child.wait_for();
    expect_errno("read after rmmod", try_take(&file), Errno::EIO);
    expect_errno("write after rmmod", try_push(&file, 1), Errno::EIO);
    expect_errno("open after rmmod", try_open(), Errno::ENOENT);
    let _module = CONTRACT.load();
    let new = expect_ok("open after the next insmod", try_open());
    expect_errno(
        "read before a capacity",
        try_take(&new),
        error("uninitialised"),
    );
    expect_errno("read of the old descriptor", try_take(&file), Errno::EIO);
    child.go_on();
    child.join();
    drop(file);
    expect_errno("second open", try_open(), error("held"));
    set_capacity(&new, 1);
}

/// Processes that open and use it while it is loaded and unloaded get a whole
/// deque or an error.
#[test]
fn loading_and_unloading_under_users() {
    let users: Vec<Child> = (0..6)
        .map(|i: i32| {
            Child::fork(move |channel| {
                channel.set_nonblocking(true).expect("a socket");
                let mut uses = 0u32;
                // Until the parent closes its end.
                while !matches!(channel.read(&mut [0]), Ok(0)) {
                    if use_once(i) {
                        uses += 1;
                        if uses == 20 {
                            let _ = channel.write(b"x");
                        }
                    }
                    thread::yield_now();
                }
                assert!(uses >= 20, "used it only {uses} times");
            })
        })
        .collect();
    let mut users = users;
    let waiting = AtomicBool::new(true);
    thread::scope(|s| {
        s.spawn(|| {
            let mut rounds = 0;
            while waiting.load(Ordering::Relaxed) || rounds < 30 {
                let module = CONTRACT.load();
                for _ in 0..rounds % 5 * 3 {
                    thread::yield_now();
                }
                expect_ok("rmmod", module.unload());
                rounds += 1;
            }
        });
        // When a user fails, too.
        let _done = Clear(&waiting);
        users.iter_mut().for_each(Child::wait_for);
    });
    for user in users {
        let _ = user.channel.shutdown(std::net::Shutdown::Write);
        user.join();
    }
}

/// Clears the flag when it is dropped.
struct Clear<'a>(&'a AtomicBool);

impl Drop for Clear<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Whether all of it went well. The module may go at any step, and then every
/// later one is EIO.
fn use_once(i: i32) -> bool {
    let file = match try_open() {
        Ok(file) => file,
        Err(e) => {
            expect_errno("open without the module", Err::<(), _>(e), Errno::ENOENT);
            return false;
        }
    };
    let dead = |e: io::Error| expect_errno("use after rmmod", Err::<(), _>(e), Errno::EIO);
    let used = (|| {
        write(&file, &[3])?;
        for value in [i * 2, i * 2 + 1, -2] {
            try_push(&file, value)?;
        }
        for value in [i * 2 + 1, i * 2, -2] {
            expect_eq("read", try_take(&file)?, value);
        }
        Ok(())
    })();
    used.map_err(dead).is_ok()
}

/// A second insmod is refused, and changes nothing.
#[test]
fn loading_twice_is_eexist() {
    let _module = CONTRACT.load();
    let file = deque(2);
    push(&file, 2);
    expect_errno(
        "insmod of a loaded module",
        Module::load("full_ex", &[]),
        Errno::EEXIST,
    );
    expect_eq("all that is in it", take_all(&file), [2]);
}

/// When the file's name is taken the load fails, and the other's file stays.
#[test]
fn a_name_that_is_taken() {
    let file = Served::written(&CONTRACT, path());
    files::taken_name(&file, "full_ex", "kt_same_file");
}

/// `modinfo` shows license, author, description and version.
#[test]
fn modinfo_tells_who_and_what() {
    expect_modinfo("full_ex", &[]);
}
