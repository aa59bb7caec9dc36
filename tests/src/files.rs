// SPDX-License-Identifier: MIT OR Apache-2.0

//! Requirements that all files in /proc share, as functions: a module's own tests call them, and
//! state the requirement in their doc comments.
//!
//! No file of a module under test is longer than [`MAX_FILE_LEN`], so a file that never ends is
//! detected.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::{
        fs::{FileExt, PermissionsExt},
        process::CommandExt,
    },
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use koru_testing::{Module, is_loaded, kernel_may_say};
use nix::errno::Errno;
use rustix::pipe::PipeFlags;

use crate::{
    contract::{Contract, expect_eq, expect_err, expect_errno, expect_ok, fail_requirement},
    descriptors::{inherited_read, send_in_flight},
    slow_memory::SlowMemory,
    user_memory::{BadPointer, GuardPageBuffer, pread_bad, read_bad},
};

/// The user ID of `nobody`, who is not root.
pub const NOBODY: u32 = 65534;

/// The length that no file of a module under test reaches.
pub const MAX_FILE_LEN: usize = 1 << 16;

/// A function that checks bytes; it is told what was done to get them.
pub type Check<'a> = dyn Fn(&str, &[u8]) + Sync + 'a;

/// A file under test, and its contract.
pub struct Served<'a> {
    pub contract: &'a Contract,
    pub path: &'a str,
    /// Requires (by `expect_eq` or `fail_requirement`) that this is the whole content.
    ///
    /// `None` for a file that is only written.
    pub whole: Option<Box<Check<'a>>>,
}

/// Returns whether a path exists, as a file of any kind.
pub fn exists(path: &str) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Converts bytes to text for a message.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl<'a> Served<'a> {
    /// Describes a file whose content is always the same.
    pub fn constant(contract: &'a Contract, path: &'a str, content: &'a str) -> Served<'a> {
        let whole = move |done: &str, seen: &[u8]| expect_eq(done, text(seen), content);
        Served {
            contract,
            path,
            whole: Some(Box::new(whole)),
        }
    }

    /// Describes a file that is only written.
    pub fn written(contract: &'a Contract, path: &'a str) -> Served<'a> {
        Served {
            contract,
            path,
            whole: None,
        }
    }

    #[track_caller]
    fn load(&self) -> Module {
        self.contract.load()
    }

    #[track_caller]
    fn open(&self) -> File {
        expect_ok(&format!("open of {}", self.path), File::open(self.path))
    }

    #[track_caller]
    fn check(&self, done: &str, seen: &[u8]) {
        if let Some(whole) = &self.whole {
            whole(done, seen);
        }
    }

    /// Reads the whole file, if it can be read, and checks the content.
    #[track_caller]
    fn read_and_check(&self, done: &str) {
        if self.whole.is_some() {
            self.check(done, &read_all(self.path));
        }
    }
}

/// Makes one read, which must return at most `size` bytes and must not write any others.
#[track_caller]
pub fn read_once(file: &mut File, size: usize) -> Vec<u8> {
    const BEHIND: usize = 64;
    let done = format!("read of {size} bytes");
    let mut buffer = vec![0xaa; size + BEHIND];
    let n = expect_ok(&done, file.read(&mut buffer[..size]));
    if n > size {
        fail_requirement(&done, &format!("at most {size}"), &n.to_string());
    }
    let spoilt = buffer[size..].iter().any(|b| *b != 0xaa);
    expect_eq(&format!("{done} writes behind them"), spoilt, false);
    buffer.truncate(n);
    buffer
}

/// Reads from the position to the end, by reads of this size.
#[track_caller]
pub fn read_rest(file: &mut File, size: usize) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        match read_once(file, size) {
            part if part.is_empty() => return all,
            part => all.extend(part),
        }
        if all.len() > MAX_FILE_LEN {
            fail_requirement(
                &format!("reads of {size} bytes until one gives 0"),
                "an end",
                "none",
            );
        }
    }
}

/// Reads a file as `cat` does.
#[track_caller]
pub fn read_all(path: &str) -> Vec<u8> {
    let mut file = expect_ok(&format!("open of {path}"), File::open(path));
    read_rest(&mut file, 4096)
}

/// Runs a shell command as `nobody`, and returns its output.
pub fn as_nobody(script: &str) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", script]).uid(NOBODY).gid(NOBODY);
    command.output().expect("the guest has a shell")
}

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

/// Requires that reads of any size return the whole content.
#[track_caller]
pub fn reads_of_any_size(file: &Served) {
    let _module = file.load();
    let len = read_all(file.path).len();
    for size in (1..len + 3).chain([4095, 4096, 4097, 1 << 20]) {
        let seen = read_rest(&mut file.open(), size);
        file.check(&format!("reads of {size} bytes until one gives 0"), &seen);
    }
}

/// Requires that reads of all sizes in turn, on one open file, return the whole content.
#[track_caller]
pub fn reads_of_mixed_sizes(file: &Served) {
    let _module = file.load();
    for start in 1..5 {
        let (mut opened, mut seen) = (file.open(), Vec::new());
        for size in start.. {
            match read_once(&mut opened, size) {
                part if part.is_empty() => break,
                part => seen.extend(part),
            }
            if seen.len() > MAX_FILE_LEN {
                fail_requirement("reads until one gives 0", "an end", "none");
            }
        }
        file.check(&format!("reads of {start}, {}, .. bytes", start + 1), &seen);
    }
}

/// Requires that the end stays the end, and that a new open starts again.
#[track_caller]
pub fn ends_and_starts_again(file: &Served) {
    let _module = file.load();
    for round in ["first", "second", "third"] {
        let mut opened = file.open();
        let seen = read_rest(&mut opened, 4096);
        file.check(&format!("the {round} cat"), &seen);
        for _ in 0..3 {
            let more = read_once(&mut opened, 4096);
            expect_eq("a read after the end", text(&more), "");
        }
    }
}

/// Requires that two open files do not move each other's positions.
#[track_caller]
pub fn positions_of_their_own(file: &Served) {
    let _module = file.load();
    let (mut a, mut b) = (file.open(), file.open());
    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    loop {
        let (x, y) = (read_once(&mut a, 1), read_once(&mut b, 2));
        if x.is_empty() && y.is_empty() {
            break;
        }
        of_a.extend(x);
        of_b.extend(y);
        if of_a.len() > MAX_FILE_LEN {
            fail_requirement("reads until one gives 0", "an end", "none");
        }
    }
    file.check("one of two files read in turn", &of_a);
    file.check("the other of two files read in turn", &of_b);
}

/// Requires that `pread` reads at its offset, returns nothing after the end, and leaves the
/// position alone.
///
/// The content must be constant.
#[track_caller]
pub fn preads(file: &Served) {
    let _module = file.load();
    let content = read_all(file.path);
    let mut opened = file.open();
    let start = read_once(&mut opened, 3);
    for at in (0..content.len() + 3).chain([4096, 1 << 31, 1 << 40, i64::MAX as usize - 100]) {
        let mut buffer = [0; 7];
        let done = format!("pread of 7 bytes at {at}");
        let n = expect_ok(&done, opened.read_at(&mut buffer, at as u64));
        let rest = content.get(at..).unwrap_or_default();
        let rest = &rest[..rest.len().min(7)];
        expect_eq(&done, text(buffer.get(..n).unwrap_or(&buffer)), text(rest));
    }
    let position = expect_ok("lseek", opened.stream_position());
    expect_eq("the position after preads", position, start.len() as u64);
    let rest = read_rest(&mut opened, 4096);
    file.check("a file read on after preads", &[start, rest].concat());
}

/// Requires that reads continue where `lseek` moved to.
///
/// The content is read anew only from the start, so it may change.
#[track_caller]
pub fn seeks(file: &Served) {
    let _module = file.load();
    let mut opened = file.open();
    let seen = read_rest(&mut opened, 4096);
    file.check("a cat", &seen);
    let position = expect_ok("lseek by 0", opened.stream_position());
    expect_eq("the position at the end", position, seen.len() as u64);
    for back in [SeekFrom::Start(0), SeekFrom::Current(-(seen.len() as i64))] {
        let done = format!("lseek to {back:?}");
        expect_eq(&done, expect_ok(&done, opened.seek(back)), 0);
        let again = read_rest(&mut opened, 5);
        file.check(&format!("reads after {done}"), &again);
        if again.len() != seen.len() {
            return;
        }
    }
    expect_ok("lseek to 2", opened.seek(SeekFrom::Start(2)));
    expect_errno(
        "lseek to before the start",
        opened.seek(SeekFrom::Current(-3)),
        Errno::EINVAL,
    );
    let position = expect_ok("lseek by 0", opened.stream_position());
    expect_eq("the position after a refused lseek", position, 2);
}

/// Requires that `dd bs=1` copies the content.
#[track_caller]
pub fn dd_byte_by_byte(file: &Served) {
    let _module = file.load();
    let mut dd = Command::new("dd");
    dd.args(["bs=1", "count=100000"])
        .arg(format!("if={}", file.path));
    let output = dd.output().expect("the guest has dd");
    expect_eq("dd bs=1 succeeds", output.status.success(), true);
    file.check("dd bs=1", &output.stdout);
}

/// Requires that a read of 0 bytes returns 0, before, in and after the content.
#[track_caller]
pub fn reads_of_nothing(file: &Served) {
    let _module = file.load();
    let mut opened = file.open();
    let mut seen = Vec::new();
    loop {
        let none = read_once(&mut opened, 0);
        expect_eq("a read of 0 bytes", none.len(), 0);
        expect_ok("pread of 0 bytes at 0", opened.read_at(&mut [], 0));
        match read_once(&mut opened, 1) {
            part if part.is_empty() => break,
            part => seen.extend(part),
        }
        if seen.len() > MAX_FILE_LEN {
            fail_requirement("reads until one gives 0", "an end", "none");
        }
    }
    expect_eq("a read of 0 bytes", read_once(&mut opened, 0).len(), 0);
    file.check("reads of 1 and of 0 bytes in turn", &seen);
}

/// An action on a descriptor, and its name.
type Disturbance = (&'static str, fn(&File));

/// The actions on a descriptor, during a read in pieces, that return nothing to anybody.
const DISTURBANCES: [Disturbance; 4] = [
    ("a pread of 0 bytes at 0", |file| {
        expect_eq("it", expect_ok("pread", file.read_at(&mut [], 0)), 0);
    }),
    ("a pread of 0 bytes at 2", |file| {
        expect_eq("it", expect_ok("pread", file.read_at(&mut [], 2)), 0);
    }),
    ("a pread to a bad address at 0", |file| {
        expect_errno(
            "it",
            pread_bad(file, BadPointer::Kernel, 100, 0),
            Errno::EFAULT,
        );
    }),
    ("a pread to a bad address at 2", |file| {
        expect_errno(
            "it",
            pread_bad(file, BadPointer::Kernel, 100, 2),
            Errno::EFAULT,
        );
    }),
];

/// Reads a file in two pieces, by one descriptor.
///
/// Between them the content changes, and an action on the descriptor returns nothing to anybody.
/// `check` gets what was read, and the whole content before the change.
#[track_caller]
pub fn disturbed_reads(path: &str, change: impl Fn(), check: impl Fn(&str, &[u8], &[u8])) {
    for (done, disturb) in DISTURBANCES {
        let mut file = expect_ok(&format!("open of {path}"), File::open(path));
        let before = read_all(path);
        let mut seen = read_once(&mut file, 3);
        change();
        disturb(&file);
        seen.extend(read_rest(&mut file, 4096));
        let done = format!("a read in two pieces, with {done} in between");
        check(&done, &seen, &before);
    }
}

/// Requires that a slow `pread` puts nothing back.
///
/// A `pread` at an offset takes long. Meanwhile the content changes, and another `pread` on the
/// same descriptor gets the first byte of the new content. It continues with that when the slow one
/// is done. `check` gets what it read.
#[track_caller]
pub fn a_slow_pread_puts_nothing_back(
    path: &str,
    change: impl Fn() + Sync,
    check: impl Fn(&str, &[u8]),
) {
    for (begun, reads) in [("nothing", 0), ("a read", 3)] {
        let mut file = expect_ok(&format!("open of {path}"), File::open(path));
        read_once(&mut file, reads);
        let memory = SlowMemory::new();
        let slow = memory.while_blocked(
            || memory.pread(&file, 0, 1, 1),
            || {
                change();
                let mut head = [0; 1];
                expect_eq(
                    "pread at 0",
                    expect_ok("pread", file.read_at(&mut head, 0)),
                    1,
                );
                head
            },
        );
        expect_eq("a slow pread of 1 byte at 1", expect_ok("pread", slow.0), 1);
        let mut seen = vec![0; MAX_FILE_LEN];
        let n = expect_ok("pread at 1", file.read_at(&mut seen[1..], 1));
        seen[0] = slow.1[0];
        seen.truncate(1 + n);
        let done =
            format!("preads at 0 and at 1, with a slow one around them and {begun} begun before");
        check(&done, &seen);
    }
}

/// Requires that a read to a bad address fails with `EFAULT` and takes nothing.
#[track_caller]
pub fn bad_reads(file: &Served) {
    let _module = file.load();
    let mut opened = file.open();
    let faults = |opened: &File| {
        for bad in BadPointer::ALL {
            for len in [1, 4096, 1 << 20] {
                let done = format!("read of {len} bytes to a bad address ({bad:?})");
                expect_errno(&done, read_bad(opened, bad, len), Errno::EFAULT);
            }
        }
    };
    faults(&opened);
    let start = read_once(&mut opened, 1);
    faults(&opened);
    let rest = read_rest(&mut opened, 4096);
    let seen = [start, rest].concat();
    file.check("what is read after EFAULTs", &seen);
}

/// Requires that a buffer which ends at unmapped memory gets the bytes for which it has space, or
/// nothing, and that no byte is lost.
#[track_caller]
pub fn buffers_that_end_early(file: &Served) {
    let _module = file.load();
    let len = read_all(file.path).len();
    let memory = GuardPageBuffer::new();
    for room in 0..len {
        let mut opened = file.open();
        let mut seen = Vec::new();
        let done = format!("read of 4096 bytes where {room} can be written");
        match memory.read(&opened, room, 4096) {
            Ok(n) if n > 0 && n <= room => seen.extend(&memory.bytes(room)[..n]),
            Ok(n) => fail_requirement(&done, "EFAULT", &format!("success ({n})")),
            Err(e) => expect_errno(&done, Err::<usize, _>(e), Errno::EFAULT),
        }
        seen.extend(read_rest(&mut opened, 4096));
        file.check(&format!("{done}, and then the rest"), &seen);
    }
    let done = "read of 1 MiB where 4096 bytes can be written";
    let n = expect_ok(done, memory.read(file.open(), 4096, 1 << 20));
    file.check(done, memory.bytes(4096).get(..n).unwrap_or_default());
}

/// Requires that the position belongs to the open file: a duplicate, a child, or a process that
/// receives the descriptor continues where the last one was.
#[track_caller]
pub fn descriptors_share_a_position(file: &Served) {
    let _module = file.load();
    let mut opened = file.open();
    let mut seen = read_once(&mut opened, 1);
    let mut second = expect_ok("dup", opened.try_clone());
    seen.extend(read_once(&mut second, 1));
    drop(opened);
    seen.extend(inherited_read(&second, "dd bs=1 count=2 2>/dev/null"));
    let mut third = send_in_flight(second)();
    seen.extend(read_once(&mut third, 1));
    let rest = thread::spawn(move || read_rest(&mut third, 4096)).join();
    seen.extend(rest.expect("the thread read"));
    file.check("a dup, a child, a receiver, a thread read in turn", &seen);
}

/// Requires that the file has these permissions, and that `nobody` can read it.
#[track_caller]
pub fn everybody_reads(file: &Served, mode: i64) {
    let _module = file.load();
    let meta = expect_ok("stat", fs::metadata(file.path));
    let seen = i64::from(meta.permissions().mode() & 0o7777);
    expect_eq("the mode", format!("{seen:04o}"), format!("{mode:04o}"));
    let read = as_nobody(&format!("head -c {MAX_FILE_LEN} {}", file.path));
    expect_eq("nobody can read it", read.status.success(), true);
    file.check("what nobody reads", &read.stdout);
}

/// Requires that only root can open the file for writing, and that root cannot write either.
#[track_caller]
pub fn cannot_be_written(file: &Served) {
    let _module = file.load();
    let write = as_nobody(&format!("echo x > {}", file.path));
    expect_eq("nobody can write it", write.status.success(), false);
    let opened = OpenOptions::new().write(true).open(file.path);
    let mut opened = expect_ok("open for writing, by root", opened);
    expect_errno("write, by root", opened.write(b"x"), Errno::EIO);
    drop(opened);
    file.check("the content after a refused write", &read_all(file.path));
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

/// Runs a shell script in many processes that start at the same moment, and returns what each
/// printed.
#[track_caller]
pub fn at_once(processes: usize, script: impl Fn(usize) -> String) -> Vec<Output> {
    let (start, go) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
    let spawn = |i| {
        let script = format!("read go; {}", script(i));
        Command::new("sh")
            .args(["-c", &script])
            .stdin(start.try_clone().expect("dup"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell")
    };
    let children: Vec<_> = (0..processes).map(spawn).collect();
    drop(start);
    // All processes wait; now they start.
    drop(go);
    let outputs = children.into_iter().map(|c| c.wait_with_output());
    outputs.map(|o| o.expect("a child")).collect()
}

/// Requires that two hundred processes that read at once each get the content.
#[track_caller]
pub fn two_hundred_processes(file: &Served) {
    let _module = file.load();
    let read = format!("exec head -c {MAX_FILE_LEN} {}", file.path);
    for output in at_once(200, |_| read.clone()) {
        expect_eq("one of 200 succeeds", output.status.success(), true);
        file.check("what one of 200 reads", &output.stdout);
    }
}

/// Requires that threads which read at once, by files of their own and by a shared one, each get
/// the content.
#[track_caller]
pub fn racing_threads(file: &Served) {
    let _module = file.load();
    let shared = file.open();
    let reader = |i: usize| {
        for n in 0..100 {
            if (i + n) % 2 == 0 {
                let seen = read_rest(&mut file.open(), 1 + n % 7);
                file.check("what one of 8 threads reads in pieces", &seen);
            } else {
                let mut buffer = [0; 4096];
                let n = expect_ok("pread", shared.read_at(&mut buffer, 0));
                let seen = buffer.get(..n).unwrap_or_default();
                file.check("a pread of one of 8 threads on one descriptor", seen);
            }
        }
    };
    thread::scope(|s| {
        let threads: Vec<_> = (0..8).map(|i| s.spawn(move || reader(i))).collect();
        for thread in threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}
