// SPDX-License-Identifier: MIT OR Apache-2.0

//! The guest's root file system: a cpio archive in the "newc" format.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use koru_error::{Error, IoContext, Result};

/// The contents of a guest's root file system.
///
/// ```
/// use koru_qemu::Initramfs;
/// let mut root = Initramfs::new();
/// root.bytes("/etc/motd", 0o644, "merhaba\n").symlink("/etc/issue", "motd");
/// let mut archive = Vec::new();
/// root.write_to(&mut archive).unwrap();
/// assert!(archive.starts_with(b"070701"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Initramfs {
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone)]
enum Entry {
    Dir,
    Link(String),
    Bytes(u32, Vec<u8>),
    File(u32, PathBuf),
}

impl Initramfs {
    /// Creates an empty root.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a file of the host at `path`, with the permission bits that it has on the host.
    pub fn file(&mut self, path: &str, from: impl AsRef<Path>) -> Result<&mut Self> {
        let from = from.as_ref();
        let meta = fs::metadata(from).path_context("reading", from)?;
        let mode = meta.permissions().mode() & 0o7777;
        Ok(self.add(path, Entry::File(mode, from.into())))
    }

    /// Puts a file with these bytes at `path`.
    pub fn bytes(&mut self, path: &str, mode: u32, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.add(path, Entry::Bytes(mode, bytes.into()))
    }

    /// Puts a symbolic link at `path`.
    pub fn symlink(&mut self, path: &str, target: &str) -> &mut Self {
        self.add(path, Entry::Link(target.into()))
    }

    /// Makes a folder. Only empty ones need this: folders of files are made by themselves.
    pub fn dir(&mut self, path: &str) -> &mut Self {
        self.add(path, Entry::Dir)
    }

    /// Puts a static busybox into the guest, with a link for each applet. An entry that
    /// already has an applet's name stays.
    pub fn busybox(&mut self, busybox: &Path) -> Result<&mut Self> {
        let list = Command::new(busybox)
            .arg("--list")
            .output()
            .path_context("running", busybox)?;
        self.file("/bin/busybox", busybox)?;
        for applet in String::from_utf8_lossy(&list.stdout).split_whitespace() {
            let path = format!("/bin/{applet}");
            let plain = applet != "busybox" && !applet.contains('/');
            if plain && !self.entries.contains_key(&path[1..]) {
                self.symlink(&path, "busybox");
            }
        }
        Ok(self)
    }

    /// Returns whether there is a file, a folder or a link at `path`.
    pub fn contains(&self, path: &str) -> bool {
        self.entries.contains_key(path.trim_matches('/'))
    }

    fn add(&mut self, path: &str, entry: Entry) -> &mut Self {
        let path = path.trim_matches('/').to_string();
        // A folder must come before what is in it, which the order of the map ensures.
        let mut parent = path.as_str();
        while let Some((up, _)) = parent.rsplit_once('/') {
            self.entries.entry(up.into()).or_insert(Entry::Dir);
            parent = up;
        }
        self.entries.insert(path, entry);
        self
    }

    /// Passes everything that distinguishes this root from another to `add`: the names, and
    /// the contents of the files or, for files of the host, when they were last changed.
    pub fn identify(&self, add: &mut impl FnMut(&[u8])) -> io::Result<()> {
        for (path, entry) in &self.entries {
            add(path.as_bytes());
            match entry {
                Entry::Dir => add(b"folder"),
                Entry::Link(target) => add(target.as_bytes()),
                Entry::Bytes(mode, bytes) => {
                    add(&mode.to_le_bytes());
                    add(bytes);
                }
                Entry::File(mode, from) => {
                    let meta = fs::metadata(from)?;
                    let numbers = [
                        i64::from(*mode),
                        meta.len() as i64,
                        meta.mtime(),
                        meta.mtime_nsec(),
                        meta.ino() as i64,
                    ];
                    numbers.iter().for_each(|n| add(&n.to_le_bytes()));
                }
            }
        }
        Ok(())
    }

    /// Writes the archive.
    pub fn write_to(&self, out: &mut impl Write) -> Result<()> {
        let archive = |e: io::Error| Error::io("writing the initramfs", e);
        let mut number = 0;
        for (path, entry) in &self.entries {
            number += 1;
            let read;
            let (mode, content): (u32, &[u8]) = match entry {
                Entry::Dir => (0o040755, b""),
                Entry::Link(target) => (0o120777, target.as_bytes()),
                Entry::Bytes(mode, bytes) => (0o100000 | mode, bytes),
                Entry::File(mode, from) => {
                    read = fs::read(from).path_context("reading", from)?;
                    (0o100000 | mode, &read)
                }
            };
            write_entry(out, number, path, mode, content).map_err(archive)?;
        }
        write_entry(out, 0, "TRAILER!!!", 0, b"").map_err(archive)
    }
}

fn write_entry(
    out: &mut impl Write,
    number: u32,
    path: &str,
    mode: u32,
    content: &[u8],
) -> io::Result<()> {
    let size = u32::try_from(content.len())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a file of 4 GB or more"))?;
    // The fields are: inode, mode, uid, gid, links, mtime, size, device (4), length of the
    // name with its NUL, checksum (unused).
    let header = [
        number,
        mode,
        0,
        0,
        1,
        0,
        size,
        0,
        0,
        0,
        0,
        path.len() as u32 + 1,
        0,
    ];
    let mut head = String::from("070701");
    for field in header {
        head += &format!("{field:08x}");
    }
    head += path;
    head.push('\0');
    out.write_all(head.as_bytes())?;
    out.write_all(padding(head.len()))?;
    out.write_all(content)?;
    out.write_all(padding(content.len()))
}

/// Returns the padding after `length` bytes: everything in the archive begins at a multiple of
/// four.
fn padding(length: usize) -> &'static [u8] {
    &[0; 3][..(4 - length % 4) % 4]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    #[test]
    fn cpio_reads_it_back() {
        let dir = tempfile::tempdir().unwrap();
        let mut root = Initramfs::new();
        root.bytes("/a/b/odd", 0o640, "12345")
            .bytes("/a/empty", 0o644, "")
            .symlink("/bin/sh", "busybox")
            .bytes("/init", 0o755, vec![0xff; 4096]);
        let mut archive = Vec::new();
        root.write_to(&mut archive).unwrap();
        assert_eq!(archive.len() % 4, 0);
        let cpio = Command::new("cpio")
            .args(["-idm", "--quiet"])
            .current_dir(dir.path())
            .stdin(Stdio::piped())
            .spawn();
        let Ok(mut cpio) = cpio else {
            return; // The tool may be missing; booting tests the format as well.
        };
        cpio.stdin.take().unwrap().write_all(&archive).unwrap();
        assert!(cpio.wait().unwrap().success());
        let at = |p: &str| dir.path().join(p);
        assert_eq!(fs::read_to_string(at("a/b/odd")).unwrap(), "12345");
        let mode = fs::metadata(at("a/b/odd")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(fs::read(at("init")).unwrap().len(), 4096);
        assert_eq!(fs::read_link(at("bin/sh")).unwrap(), Path::new("busybox"));
    }

    #[test]
    fn a_missing_file_is_said_at_once() {
        let error = Initramfs::new().file("/x", "/no/such/file").unwrap_err();
        assert!(error.to_string().contains("/no/such/file"), "{error}");
    }
}
