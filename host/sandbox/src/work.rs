// SPDX-License-Identifier: MIT OR Apache-2.0

//! A folder of a sandbox that is in memory, seen from outside.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use koru_error::{Error, IoContext, Kind, Result};
use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstatvfs, mkdirat, openat, statat},
    io::Errno,
};

/// How deep folders may be inside one another.
const DEPTH: usize = 64;

/// A file system in memory. It lives as long as this value, even when its sandbox has ended.
pub struct Memory(OwnedFd);

impl Memory {
    /// Opens a folder as the process with this number sees it.
    pub fn open(process: u32, at: &Path) -> io::Result<Memory> {
        let inside = at.strip_prefix("/").unwrap_or(at);
        let path = Path::new("/proc").join(process.to_string()).join("root");
        Ok(Memory(folder(CWD, &path.join(inside), OFlags::empty())?))
    }

    /// Returns whether nothing more can be written. Small files count as a page each, because
    /// an empty file takes memory, too.
    pub fn is_full(&self) -> bool {
        fstatvfs(&self.0)
            .is_ok_and(|s| s.f_bavail == 0 || s.f_files.saturating_sub(s.f_ffree) > s.f_blocks)
    }

    /// Copies the regular files that are new or have changed to `to`, at most `limit` bytes.
    /// Links and whatever else a program can leave behind are not copied and not followed.
    /// Nothing may run in the sandbox any more.
    pub fn copy_back(&self, to: &Path, limit: u64) -> Result<()> {
        let target = folder(CWD, to, OFlags::empty()).map_err(io::Error::from);
        let target = target.path_context("opening", to)?;
        let mut copy = Copy { left: limit };
        copy.folder(&self.0, &target, 0)
            .map_err(|e| match e.kind() {
                io::ErrorKind::QuotaExceeded => Error::new(
                    Kind::Link,
                    format!("copying the results to {}", to.display()),
                    format!("they are larger than {}", crate::captured::size(limit)),
                ),
                _ => Error::path("copying the results to", to, e),
            })
    }
}

fn folder(dir: impl AsFd, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(dir, path, flags, Mode::empty())
}

struct Copy {
    left: u64,
}

impl Copy {
    fn folder(&mut self, from: &OwnedFd, to: &OwnedFd, depth: usize) -> io::Result<()> {
        if depth > DEPTH {
            return Err(io::Error::other("the folders are too deep"));
        }
        for entry in Dir::read_from(from)? {
            let entry = entry?;
            let name = entry.file_name();
            if [&b"."[..], b".."].contains(&name.to_bytes()) {
                continue;
            }
            let stat = statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
            let mode = Mode::from_raw_mode(stat.st_mode) & Mode::from_raw_mode(0o777);
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => {
                    match mkdirat(to, name, Mode::from_raw_mode(0o755)) {
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(e) => return Err(e.into()),
                    }
                    let path = Path::new(OsStr::from_bytes(name.to_bytes()));
                    let inner = folder(from, path, OFlags::NOFOLLOW)?;
                    let outer = folder(to, path, OFlags::NOFOLLOW)?;
                    self.folder(&inner, &outer, depth + 1)?;
                }
                FileType::RegularFile => {
                    let old = statat(to, name, AtFlags::SYMLINK_NOFOLLOW);
                    if old.is_ok_and(|old| is_unchanged(&old, &stat)) {
                        continue;
                    }
                    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
                    let source = openat(from, name, flags | OFlags::RDONLY, Mode::empty())?;
                    let write = flags | OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC;
                    let copy = openat(to, name, write, mode | Mode::RUSR | Mode::WUSR)?;
                    self.file(source.into(), copy.into(), &stat)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn file(&mut self, from: File, mut to: File, stat: &Stat) -> io::Result<()> {
        let copied = io::copy(&mut from.take(self.left + 1), &mut to)?;
        // make compares the times.
        let seconds = u64::try_from(stat.st_mtime).unwrap_or_default();
        let nanoseconds = u32::try_from(stat.st_mtime_nsec).unwrap_or_default();
        to.set_modified(UNIX_EPOCH + Duration::new(seconds, nanoseconds))?;
        match self.left.checked_sub(copied) {
            Some(left) => self.left = left,
            None => return Err(io::ErrorKind::QuotaExceeded.into()),
        }
        Ok(())
    }
}

fn is_unchanged(old: &Stat, new: &Stat) -> bool {
    FileType::from_raw_mode(old.st_mode) == FileType::RegularFile
        && (old.st_size, old.st_mtime, old.st_mtime_nsec)
            == (new.st_size, new.st_mtime, new.st_mtime_nsec)
}
