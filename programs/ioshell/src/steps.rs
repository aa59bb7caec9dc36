// SPDX-License-Identifier: MIT OR Apache-2.0

//! Carries out steps for `koru verify`: one call for each line, with its raw result.
//!
//! A line is `NONCE THREAD CALL ARGUMENTS`, with bytes as hexadecimal digits. The answer is
//! `NONCE ok RESULT BEGIN END BYTES` or `NONCE err ERRNO BEGIN END`, with times in nanoseconds.
//! Each thread has a queue, so a call that blocks holds up its own thread only. A line that begins
//! with `@NAME` is for a child that `fork` has made. The call `many` does several calls at once
//! with other threads. What is expected is unknown here.

use std::{
    collections::HashMap,
    env,
    fmt::Write as _,
    io::{self, BufRead, Read, Write},
    os::{
        fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    path::Path,
    process::{ChildStdin, Command, ExitCode, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Sender, channel},
    },
    thread,
    time::Duration,
};

use ioshell::{bytes::from_hex, raw};
use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    libc,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        stat::Mode,
        time::TimeSpec,
        uio::{pread, pwrite},
    },
    time::{ClockId, clock_gettime},
    unistd::{Whence, close, dup, lseek64, read, write},
};

use crate::passing;

/// The largest number of bytes that a command of the shell may print.
const MOST_OUTPUT: u64 = 1 << 20;

type Files = Arc<Mutex<HashMap<String, Arc<OwnedFd>>>>;

/// The result of a call, and the bytes that belong to it.
type Done = Result<(i64, Vec<u8>), Errno>;

/// Carries out the steps of the standard input. The arguments name inherited descriptors:
/// `NAME=NUMBER`.
pub fn steps(inherited: &[String]) -> ExitCode {
    let files: Files = Files::default();
    for pair in inherited {
        let parsed = pair.split_once('=').and_then(|(name, fd)| {
            let fd: i32 = fd.parse().ok().filter(|fd| *fd > 2)?;
            Some((name.to_owned(), fd))
        });
        if let Some((name, fd)) = parsed {
            locked(&files).insert(name, Arc::new(raw::inherited(fd)));
        }
    }
    let mut threads: HashMap<String, Sender<(String, String)>> = HashMap::new();
    let mut children: HashMap<String, ChildStdin> = HashMap::new();
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        if let Some((child, rest)) = line.strip_prefix('@').and_then(|l| l.split_once(' ')) {
            if let Some(stdin) = children.get_mut(child) {
                // A child that has gone answers nothing, and the host waits no longer than it said.
                _ = writeln!(stdin, "{rest}");
            }
            continue;
        }
        let mut words = line.splitn(3, ' ');
        let (Some(nonce), Some(name), Some(call)) = (words.next(), words.next(), words.next())
        else {
            eprintln!("ioshell: `{line}` is no step");
            continue;
        };
        if let Some(child) = call.strip_prefix("fork ") {
            let begin = now();
            let done = fork(child, &files).map(|stdin| {
                children.insert(child.to_owned(), stdin);
                (0, Vec::new())
            });
            answer(nonce, begin, done);
            continue;
        }
        let queue = threads.entry(name.to_owned()).or_insert_with(|| {
            let (to, queue) = channel::<(String, String)>();
            let files = files.clone();
            thread::spawn(move || {
                for (nonce, call) in queue {
                    let begin = now();
                    let done = carry_out(&call, &files);
                    answer(&nonce, begin, done);
                }
            });
            to
        });
        _ = queue.send((nonce.to_owned(), call.to_owned()));
    }
    ExitCode::SUCCESS
}

fn locked(files: &Files) -> MutexGuard<'_, HashMap<String, Arc<OwnedFd>>> {
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the monotonic clock's time in nanoseconds.
fn now() -> i64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap_or(TimeSpec::new(0, 0));
    time.tv_sec() * 1_000_000_000 + time.tv_nsec()
}

fn answer(nonce: &str, begin: i64, done: Done) {
    let line = format!("{nonce} {}\n", outcome(begin, now(), &done));
    let mut out = io::stdout().lock();
    _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

/// Returns what a call led to: `ok RESULT BEGIN END BYTES` or `err ERRNO BEGIN END`.
fn outcome(begin: i64, end: i64, done: &Done) -> String {
    let mut text = match done {
        Ok((result, _)) => format!("ok {result} {begin} {end} "),
        Err(errno) => format!("err {} {begin} {end} ", *errno as i32),
    };
    for byte in done.iter().flat_map(|(_, bytes)| bytes) {
        _ = write!(text, "{byte:02x}");
    }
    text
}

/// Does calls one after the other, as soon as a file exists for which other threads wait as well.
/// The bytes are a line for each call, with what it led to.
fn many(gate: &str, calls: &str, files: &Files) -> Done {
    while !Path::new(gate).exists() {
        thread::sleep(Duration::from_micros(200));
    }
    let mut all = Vec::new();
    for call in calls.lines() {
        let begin = now();
        let done = carry_out(call, files);
        all.push((begin, now(), done));
    }
    // Written down afterwards, so that the calls follow each other at once.
    let mut text = String::new();
    for (begin, end, done) in &all {
        _ = writeln!(text, "{}", outcome(*begin, *end, done));
    }
    Ok((all.len() as i64, text.into_bytes()))
}

/// Starts a process of this program with the same open files.
fn fork(child: &str, files: &Files) -> Result<ChildStdin, Errno> {
    let errno = |e: io::Error| Errno::from_raw(e.raw_os_error().unwrap_or(libc::EIO));
    let files = locked(files);
    let names = files
        .iter()
        .map(|(n, fd)| format!("{n}={}", fd.as_raw_fd()));
    let mut process = Command::new(env::current_exe().map_err(errno)?);
    process.arg("--steps").args(names).stdin(Stdio::piped());
    // The open file of a process with another name is told apart in /proc.
    process.env("IOSHELL_CHILD", child);
    let mut process = process.spawn().map_err(errno)?;
    process.stdin.take().ok_or(Errno::EIO)
}

fn carry_out(call: &str, files: &Files) -> Done {
    let words: Vec<&str> = call.split(' ').collect();
    let number = |text: &str| text.parse::<i64>().map_err(|_| Errno::EINVAL);
    let bytes = |text: &str| from_hex(text).map_err(|_| Errno::EINVAL);
    let file = |name: &str| locked(files).get(name).cloned().ok_or(Errno::EBADF);
    let nothing = |result: i64| Ok((result, Vec::new()));
    let size = |n: usize| n as i64;
    match words[..] {
        ["open", name, flags, mode, path] => {
            let path = String::from_utf8(bytes(path)?).map_err(|_| Errno::EINVAL)?;
            let flags = OFlag::from_bits_retain(number(flags)? as i32);
            let mode = Mode::from_bits_truncate(number(mode)? as u32);
            let opened = open(path.as_str(), flags, mode)?;
            locked(files).insert(name.to_owned(), Arc::new(opened));
            nothing(0)
        }
        ["close", name] => {
            let closed = locked(files).remove(name).ok_or(Errno::EBADF)?;
            // A call of another thread may use it; then the end of that call closes it.
            match Arc::try_unwrap(closed) {
                Ok(fd) => close(fd.into_raw_fd())?,
                Err(used) => drop(used),
            }
            nothing(0)
        }
        ["read", name, n] => {
            let mut buffer = vec![0; number(n)? as usize];
            let n = read(&*file(name)?, &mut buffer)?;
            buffer.truncate(n);
            Ok((size(n), buffer))
        }
        ["read", name, n, at] => {
            let mut buffer = vec![0; number(n)? as usize];
            let n = pread(&*file(name)?, &mut buffer, number(at)?)?;
            buffer.truncate(n);
            Ok((size(n), buffer))
        }
        ["write", name, text] => nothing(size(write(&*file(name)?, &bytes(text)?)?)),
        ["write", name, text, at] => {
            nothing(size(pwrite(&*file(name)?, &bytes(text)?, number(at)?)?))
        }
        ["seek", name, offset, whence] => {
            let whence = match number(whence)? {
                0 => Whence::SeekSet,
                1 => Whence::SeekCur,
                _ => Whence::SeekEnd,
            };
            nothing(lseek64(&*file(name)?, number(offset)?, whence)?)
        }
        ["ioctl", name, request, "value", value] => {
            let request = number(request)? as u32;
            nothing(raw::ioctl_value(
                file(name)?.as_fd(),
                request,
                number(value)?,
            )?)
        }
        ["ioctl", name, request, "bytes", argument] => {
            let mut argument = bytes(argument)?;
            let request = number(request)? as u32;
            let result = raw::ioctl_bytes(file(name)?.as_fd(), request, &mut argument)?;
            Ok((result, argument))
        }
        ["poll", name, events, ms] => {
            let events = PollFlags::from_bits_truncate(number(events)? as i16);
            let file = file(name)?;
            let mut polled = [PollFd::new(file.as_fd(), events)];
            let limit = PollTimeout::try_from(number(ms)? as i32).map_err(|_| Errno::EINVAL)?;
            poll(&mut polled, limit)?;
            let ready = polled[0].revents().map_or(0, |r| r.bits());
            nothing(i64::from(ready))
        }
        ["mmap", name, length, at] => {
            let length = number(length)? as usize;
            let shown = raw::mapped(&*file(name)?, length, number(at)?)?;
            Ok((size(shown.len()), shown))
        }
        ["dup", name, new] => {
            let copy = dup(&*file(name)?)?;
            locked(files).insert(new.to_owned(), Arc::new(copy));
            nothing(0)
        }
        ["pass", name, socket] => {
            passing::pass(file(name)?.as_fd(), socket)?;
            nothing(0)
        }
        ["receive", name, socket] => {
            let received = passing::receive(socket)?;
            locked(files).insert(name.to_owned(), Arc::new(received));
            nothing(0)
        }
        ["many", gate, calls] => {
            let calls = String::from_utf8(bytes(calls)?).map_err(|_| Errno::EINVAL)?;
            many(gate, &calls, files)
        }
        ["run", command] => run(&bytes(command)?),
        _ => Err(Errno::ENOSYS),
    }
}

/// Runs a command of the shell, and returns its status and the beginning of its output.
fn run(command: &[u8]) -> Done {
    let errno = |e: io::Error| Errno::from_raw(e.raw_os_error().unwrap_or(libc::EIO));
    let command = String::from_utf8_lossy(command);
    let mut child = Command::new("sh")
        .args(["-c", &command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(errno)?;
    let mut output = Vec::new();
    if let Some(pipe) = child.stdout.take() {
        pipe.take(MOST_OUTPUT)
            .read_to_end(&mut output)
            .map_err(errno)?;
    }
    let status = child.wait().map_err(errno)?;
    // A signal's number comes after 128, as in a shell.
    let code = status.code().or(status.signal().map(|s| s + 128));
    Ok((i64::from(code.unwrap_or(255)), output))
}
