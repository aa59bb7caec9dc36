// SPDX-License-Identifier: MIT OR Apache-2.0

//! The files that a module makes, and what can be done with any file.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use nix::{
    libc,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    unistd::{Whence, lseek},
};

use crate::inject::{Injection, errno, walk};

/// Where modules make files.
const ROOTS: [&str; 3] = ["/proc", "/dev", "/sys/kernel/debug"];

/// The bytes that are written.
const TEXT: &[u8] = b"1\n";
const PAGE: usize = 4096;

/// Returns all files in these folders, without those of processes.
pub fn all() -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders: Vec<PathBuf> = ROOTS.map(PathBuf::from).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let is_process = name
                .to_string_lossy()
                .starts_with(|c: char| c.is_ascii_digit())
                && entry.path().parent() == Some(Path::new("/proc"));
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !is_process => folders.push(entry.path()),
                Ok(kind) if !kind.is_dir() && !kind.is_symlink() => _ = found.insert(entry.path()),
                _ => {}
            }
        }
    }
    found
}

/// Does everything with a file while one allocation after the other fails.
pub fn walk_operations(injection: &mut Injection, path: &Path) {
    let Some(mode) = [Mode::Both, Mode::Read, Mode::Write]
        .into_iter()
        .find(|mode| mode.open(path).is_ok())
    else {
        println!("open {} 0 refused", path.display());
        return;
    };
    let opened = || mode.open(path).map_err(|e| errno(&e));
    let name = |operation: &str| format!("{operation} {}", path.display());
    // What an operation cannot do without a fault is no reason to leave out the others.
    let _ = walk(
        injection,
        &name("open"),
        || Ok(()),
        // The close, too, may allocate.
        |()| opened().map(drop).map(|()| 0),
        |()| Ok(()),
    );
    type Operation = fn(&File) -> nix::Result<i64>;
    let operations: [(&str, Operation); 7] = [
        ("read", |file| done(file.read_at(&mut [0; PAGE], 0))),
        ("read-1", |file| done(io::Read::read(&mut &*file, &mut [0]))),
        ("write", |file| done(io::Write::write(&mut &*file, TEXT))),
        ("write-page", |file| {
            done(io::Write::write(&mut &*file, &[b'1'; PAGE]))
        }),
        ("write-and-read", |file| {
            let _ = io::Write::write(&mut &*file, TEXT);
            done(io::Read::read(&mut &*file, &mut [0; PAGE]))
        }),
        ("seek", |file| lseek(file, 1, Whence::SeekSet)),
        ("poll", |file| {
            let events = PollFlags::POLLIN | PollFlags::POLLOUT;
            let mut polled = [PollFd::new(std::os::fd::AsFd::as_fd(file), events)];
            poll(&mut polled, PollTimeout::ZERO).map(i64::from)
        }),
    ];
    for (operation, call) in operations {
        let _ = walk(injection, &name(operation), opened, call, |_| Ok(()));
    }
}

fn done(result: io::Result<usize>) -> nix::Result<i64> {
    result.map(|size| size as i64).map_err(|e| errno(&e))
}

/// How a file is opened.
#[derive(Clone, Copy)]
enum Mode {
    Both,
    Read,
    Write,
}

impl Mode {
    /// Opens a file without waiting for anything.
    fn open(self, path: &Path) -> io::Result<File> {
        let (read, write) = match self {
            Mode::Both => (true, true),
            Mode::Read => (true, false),
            Mode::Write => (false, true),
        };
        OpenOptions::new()
            .read(read)
            .write(write)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)
    }
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;

    #[test]
    fn files_of_processes_do_not_count() {
        let all = all();
        assert!(all.contains(Path::new("/proc/uptime")));
        assert!(all.contains(Path::new("/dev/null")));
        assert!(!all.iter().any(|path| path.starts_with("/proc/1")));
        assert!(all.iter().all(|path| path.is_absolute()));
    }

    #[test]
    fn file_that_is_only_read_is_opened_so() {
        let file = Path::new("/proc/uptime");
        assert!(Mode::Read.open(file).is_ok());
    }

    #[test]
    fn errors_keep_their_number() {
        assert_eq!(
            done(Err(io::Error::from_raw_os_error(libc::ENOMEM))),
            Err(Errno::ENOMEM)
        );
        assert_eq!(done(Ok(3)), Ok(3));
    }
}
