// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the processes that have some files open, and what they read and write.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
};

use koru_protocol::{FileUser, OpenFile, Reply, Transfer};

use crate::{answer::Answer, modules::numbers};

/// The largest number of processes, and of files of a process.
const MOST: usize = 100;

/// Returns the processes that have a file open that is one of `paths` or below one. The streams
/// of the process `command` lead to the host.
pub fn find(paths: &[String], command: Option<u32>) -> Answer {
    // The agent has the other ends, except that of an input that has ended. The command may
    // have moved its output to another descriptor.
    let own = std::process::id();
    let ends = numbers("/proc/self/fd").filter_map(|fd| target(own, fd));
    let given = command
        .into_iter()
        .flat_map(|pid| (0..3).filter_map(move |fd| target(pid, fd)));
    let streams: HashSet<String> = ends
        .chain(given)
        .filter(|path| path.starts_with("pipe:"))
        .collect();
    let is_asked = |path: &str| paths.iter().any(|p| Path::new(path).starts_with(p));
    let users = numbers("/proc").filter_map(|pid| {
        let all = numbers(&format!("/proc/{pid}/fd"));
        let open: Vec<(u32, String)> = all.filter_map(|fd| Some((fd, target(pid, fd)?))).collect();
        if !open.iter().any(|(_, path)| is_asked(path)) {
            return None;
        }
        let files = open.into_iter().filter_map(|(fd, path)| {
            let info = fields(&format!("/proc/{pid}/fdinfo/{fd}"))?;
            let flags = i32::from_str_radix(info.get("flags")?, 8).ok()?;
            let mode = flags & libc::O_ACCMODE;
            Some(OpenFile {
                fd,
                position: info.get("pos")?.parse().ok()?,
                can_read: mode != libc::O_WRONLY,
                can_write: mode != libc::O_RDONLY,
                is_asked: is_asked(&path),
                is_stream: path.starts_with("/dev/pts/") || streams.contains(&path),
                path,
            })
        });
        let files = files.take(MOST).collect();
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        let (read, written) = transfers(pid);
        Some(FileUser {
            pid,
            name: name.trim_end().into(),
            read,
            written,
            files,
        })
    });
    Ok(Reply::FileUsers(users.take(MOST).collect()))
}

/// Returns what a process has read and written. The kernel's own sum for a process includes the
/// children that it has waited for.
fn transfers(pid: u32) -> (Transfer, Transfer) {
    let (mut read, mut written) = (Transfer::default(), Transfer::default());
    for thread in numbers(&format!("/proc/{pid}/task")) {
        let io = fields(&format!("/proc/{pid}/task/{thread}/io")).unwrap_or_default();
        let number =
            |field: &str| -> u64 { io.get(field).and_then(|n| n.parse().ok()).unwrap_or(0) };
        read.bytes += number("rchar");
        read.calls += number("syscr");
        written.bytes += number("wchar");
        written.calls += number("syscw");
    }
    (read, written)
}

/// Returns what a descriptor of a process refers to.
fn target(pid: u32, fd: u32) -> Option<String> {
    let path = fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok()?;
    Some(path.to_string_lossy().into_owned())
}

/// Reads a file whose lines are `FIELD: VALUE`.
fn fields(path: &str) -> Option<HashMap<String, String>> {
    let text = fs::read_to_string(path).ok()?;
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    let owned = |(field, value): (&str, &str)| (field.into(), value.trim().into());
    Some(fields.map(owned).collect())
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read,
        process::{Command, Stdio},
    };

    use super::*;

    #[test]
    fn reads_of_an_open_file_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a file");
        fs::write(&path, [0; 100]).unwrap();
        let own = || {
            let asked = [folder.path().to_str().unwrap().to_owned()];
            let Ok(Reply::FileUsers(users)) = find(&asked, None) else {
                panic!("no answer");
            };
            users.into_iter().find(|u| u.pid == std::process::id())
        };
        assert_eq!(own(), None);
        let mut file = fs::File::open(&path).unwrap();
        let before = own().unwrap();
        // The kernel adds what a child did to the sums of its parent.
        let mut child = Command::new("head");
        child
            .args(["-c", "9000000", "/dev/zero"])
            .stdout(Stdio::null());
        assert!(child.status().unwrap().success());
        assert!(own().unwrap().read.bytes < before.read.bytes + 9_000_000);
        file.read_exact(&mut [0; 60]).unwrap();
        let after = own().unwrap();
        assert!(after.read.bytes >= before.read.bytes + 60);
        assert!(after.read.calls > before.read.calls);
        let file = after.files.iter().find(|f| f.is_asked).unwrap();
        assert_eq!(
            (file.path.as_str(), file.position),
            (path.to_str().unwrap(), 60)
        );
        assert!(file.can_read && !file.can_write && !file.is_stream);
    }
}
