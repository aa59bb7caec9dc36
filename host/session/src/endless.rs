// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds commands that read a module's file, or write to it, without an end.
//!
//! Such a command is hardly ever seen in the module's code, whose calls end soon. But the kernel
//! counts what a process reads and writes, and where it is in its files.

use koru_protocol::{Call, FileUser, Inventory, OpenFile, Reply, Transfer};

use crate::{Result, Session, calls::unexpected, connection::Streamed};

/// What a process does again and again with a module's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndlessUse {
    /// The process, as `cat, process 70`.
    pub task: String,
    /// The name that `ps` shows.
    pub name: String,
    /// The path of the file.
    pub path: String,
    /// Whether the process writes; otherwise it reads.
    pub is_write: bool,
    /// The number of bytes so far.
    pub bytes: u64,
    /// The number of calls so far.
    pub calls: u64,
    /// Whether the calls transfer any bytes now.
    pub is_moving: bool,
}

/// Compares what processes do with a module's files from one look to the next.
#[derive(Default)]
pub struct Endless {
    /// The module's files.
    paths: Option<Vec<String>>,
    last: Option<Sample>,
}

/// What processes have done up to a moment.
#[derive(Debug, Clone, Default)]
struct Sample {
    users: Vec<FileUser>,
    streamed: Streamed,
}

impl Endless {
    /// Returns whether there was a look to which the next one can be compared.
    pub fn has_looked(&self) -> bool {
        self.last.is_some()
    }

    /// Returns what a process has done again and again since the last look. The module's files
    /// are those that are not in the inventory from `before` its load.
    pub fn look(&mut self, session: &Session, before: &Inventory) -> Option<EndlessUse> {
        if self.paths.is_none() {
            self.paths = Some(new_files(before, &session.inventory().ok()?));
        }
        let paths = self.paths.as_deref().filter(|paths| !paths.is_empty())?;
        let now = Sample {
            users: session.file_users(paths).ok()?,
            streamed: session.state().streamed,
        };
        let last = self.last.replace(now.clone())?;
        let pairs = now.users.iter().filter_map(|user| {
            let is_same = |other: &&FileUser| other.pid == user.pid && other.name == user.name;
            Some((last.users.iter().find(is_same)?, user))
        });
        let has_input = last.streamed.input != now.streamed.input;
        let has_output = last.streamed.output != now.streamed.output;
        pairs
            .filter_map(|(last, now)| endless_use(last, now, has_input, has_output))
            .next()
    }
}

impl Session {
    fn file_users(&self, paths: &[String]) -> Result<Vec<FileUser>> {
        let call = Call::FileUsers {
            paths: paths.to_vec(),
            of: self.state().busy.first().map_or(0, |call| call.id),
        };
        match self.quick("look", call)? {
            Reply::FileUsers(users) => Ok(users),
            _ => Err(unexpected("look")),
        }
    }
}

/// Returns the files that are new, and the folders with new files.
fn new_files(before: &Inventory, now: &Inventory) -> Vec<String> {
    const FOLDERS: [&str; 3] = ["/proc/", "/dev/", "/sys/kernel/debug/"];
    let new = now.entries.iter().filter(|entry| {
        let is_file = FOLDERS.iter().any(|folder| entry.starts_with(folder));
        is_file && before.entries.binary_search(entry).is_err()
    });
    new.cloned().collect()
}

/// Returns what a process has done from one look to the next, if it did that to a module's file.
/// The flags say whether its standard input and its output were in use.
fn endless_use(
    last: &FileUser,
    now: &FileUser,
    has_input: bool,
    has_output: bool,
) -> Option<EndlessUse> {
    // Each file, and whether its position has moved. One of the module's counts only if it has
    // been open all the time.
    let files: Vec<(&OpenFile, bool)> = now
        .files
        .iter()
        .filter_map(|file| {
            let is_same = |f: &&OpenFile| f.fd == file.fd && f.path == file.path;
            match last.files.iter().find(is_same) {
                Some(before) => Some((file, before.position != file.position)),
                None => (!file.is_asked).then_some((file, true)),
            }
        })
        .collect();
    let reads = Direction {
        is_open: |file| file.can_read,
        null_counts: false,
        has_stream: has_input,
        grows: now.read.calls > last.read.calls,
    };
    let writes = Direction {
        is_open: |file| file.can_write,
        null_counts: true,
        has_stream: has_output,
        grows: now.written.calls > last.written.calls,
    };
    let (is_write, file) = match (reads.file(&files), writes.file(&files)) {
        (Some((file, _)), None) | (Some((file, true)), Some((_, false))) => (false, file),
        (None, Some((file, _))) | (Some((_, false)), Some((file, true))) => (true, file),
        // One that does both does not wait for the end of the file.
        _ => return None,
    };
    let transfer =
        |user: &FileUser| -> Transfer { if is_write { user.written } else { user.read } };
    Some(EndlessUse {
        task: format!("{}, process {}", now.name, now.pid),
        name: now.name.clone(),
        path: file.path.clone(),
        is_write,
        bytes: transfer(now).bytes,
        calls: transfer(now).calls,
        is_moving: transfer(now).bytes > transfer(last).bytes,
    })
}

/// What is known about the reads of a process, or about its writes.
struct Direction {
    is_open: fn(&OpenFile) -> bool,
    /// Whether /dev/null may be what is read or written. It ends each read at once.
    null_counts: bool,
    /// Whether the streams to the host are in use.
    has_stream: bool,
    /// Whether there were any calls.
    grows: bool,
}

impl Direction {
    /// Returns the module's file to which the calls go, and whether no other file can be the
    /// one. A position that has moved shows that the file is used. A module may leave the
    /// position where it is, but then no other file may be the one.
    fn file<'a>(&self, files: &[(&'a OpenFile, bool)]) -> Option<(&'a OpenFile, bool)> {
        if !self.grows {
            return None;
        }
        let open = files.iter().filter(|(file, _)| (self.is_open)(file));
        let (asked, others): (Vec<_>, Vec<_>) = open.partition(|(file, _)| file.is_asked);
        let may_be_it = |(file, has_moved): &(&OpenFile, bool)| match file.path.as_str() {
            _ if *has_moved => true,
            "/dev/null" => self.null_counts,
            _ if file.is_stream => self.has_stream,
            // Pipes, sockets and devices have no position that tells.
            path => !path.starts_with('/') || path.starts_with("/dev/"),
        };
        let is_alone = !others.iter().any(may_be_it);
        let moved = asked.iter().find(|(_, has_moved)| *has_moved);
        match (moved, asked.as_slice()) {
            (Some((file, _)), _) => Some((file, is_alone)),
            (None, [(file, _)]) if is_alone => Some((file, true)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(fd: u32, path: &str, access: &str) -> OpenFile {
        OpenFile {
            fd,
            path: path.into(),
            position: 0,
            can_read: access.contains('r'),
            can_write: access.contains('w'),
            is_asked: path == "/proc/x",
            is_stream: path.starts_with("/dev/pts/") || path == "pipe:[1]",
        }
    }

    /// Returns what is found for a process with these files that has made calls meanwhile.
    fn found(files: Vec<OpenFile>, reads: u64, writes: u64, moved: Option<u32>) -> Option<String> {
        streamed(files, reads, writes, moved, [false, false])
    }

    fn streamed(
        files: Vec<OpenFile>,
        reads: u64,
        writes: u64,
        moved: Option<u32>,
        [has_input, has_output]: [bool; 2],
    ) -> Option<String> {
        let transfer = |calls| Transfer {
            bytes: 10 * calls,
            calls,
        };
        let last = FileUser {
            pid: 70,
            name: "cat".into(),
            read: transfer(5),
            written: transfer(5),
            files,
        };
        let mut now = last.clone();
        now.read = transfer(5 + reads);
        now.written = transfer(5 + writes);
        for file in &mut now.files {
            file.position += u64::from(Some(file.fd) == moved);
        }
        let found = endless_use(&last, &now, has_input, has_output)?;
        assert_eq!(found.task, "cat, process 70");
        assert!(found.is_moving);
        let verb = if found.is_write { "writes" } else { "reads" };
        Some(format!("{verb} {}: {}", found.path, found.calls))
    }

    fn streams() -> Vec<OpenFile> {
        [(0, "r"), (1, "w"), (2, "w")]
            .map(|(fd, access)| file(fd, "pipe:[1]", access))
            .into()
    }

    fn with(more: &[(u32, &str, &str)]) -> Vec<OpenFile> {
        let mut all = streams();
        for (fd, path, access) in more {
            all.retain(|f| f.fd != *fd);
            all.push(file(*fd, path, access));
        }
        all
    }

    #[test]
    fn cat_reads_the_file() {
        let cat = || with(&[(3, "/proc/x", "r")]);
        assert_eq!(found(cat(), 7, 7, None).unwrap(), "reads /proc/x: 12");
        assert_eq!(found(cat(), 7, 7, Some(3)).unwrap(), "reads /proc/x: 12");
        assert_eq!(found(cat(), 0, 7, None), None);
        // Its input comes from the host.
        assert_eq!(streamed(cat(), 7, 7, None, [true, true]), None);
        let moves = streamed(cat(), 7, 7, Some(3), [true, true]);
        assert_eq!(moves.unwrap(), "reads /proc/x: 12");
    }

    #[test]
    fn echo_writes_to_the_file() {
        let echo = with(&[(0, "/dev/null", "r"), (1, "/proc/x", "w")]);
        assert_eq!(found(echo, 0, 9, None).unwrap(), "writes /proc/x: 14");
    }

    #[test]
    fn other_files_may_be_what_is_used() {
        let idle = |path, access| with(&[(3, "/proc/x", "rw"), (4, path, access)]);
        assert_eq!(found(idle("/dev/zero", "r"), 7, 0, None), None);
        assert_eq!(found(idle("socket:[9]", "rw"), 7, 7, None), None);
        assert_eq!(found(idle("/root/data", "r"), 7, 0, Some(4)), None);
        assert_eq!(found(idle("/dev/null", "w"), 0, 7, None), None);
        // A file whose position stays is not read.
        let script = found(idle("/root/script", "r"), 7, 0, None);
        assert_eq!(script.unwrap(), "reads /proc/x: 12");
    }

    #[test]
    fn program_that_does_both_is_no_endless_use() {
        let both = || with(&[(3, "/proc/x", "rw")]);
        assert_eq!(found(both(), 7, 7, None), None);
        assert_eq!(found(both(), 7, 7, Some(3)), None);
        // This one prints what it reads.
        for moved in [None, Some(3)] {
            let prints = streamed(both(), 7, 7, moved, [false, true]);
            assert_eq!(prints.unwrap(), "reads /proc/x: 12");
        }
    }

    #[test]
    fn files_of_a_module_are_the_new_ones() {
        let of = |entries: &[&str]| Inventory {
            entries: entries.iter().map(|e| (*e).into()).collect(),
            ..Inventory::default()
        };
        let before = of(&["/dev/null", "/proc/uptime"]);
        let now = [
            "/dev/null",
            "/dev/x",
            "/proc/uptime",
            "/proc/x",
            "/sys/class/x",
        ];
        assert_eq!(new_files(&before, &of(&now)), ["/dev/x", "/proc/x"]);
    }
}
