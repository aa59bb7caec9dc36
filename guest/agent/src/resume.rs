// SPDX-License-Identifier: MIT OR Apache-2.0

//! Resumes from a snapshot: every guest that does so is the same machine until it is given
//! what is specific to it.

use std::{
    fs, io,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use koru_protocol::{Errno, RingSlice};

use crate::{answer::errno, machine, serial::Line};

/// Gives this guest random numbers of its own, the shared memory, and its files.
pub fn resume(line: &Line, seed: [u8; 32], files: RingSlice) -> Result<(), Errno> {
    machine::reseed(seed)
        .and_then(|()| line.share(true))
        .and_then(|()| line.take(files).ok_or(io::ErrorKind::InvalidData.into()))
        .and_then(|archive| unpack(&archive, Path::new("/")))
        .map_err(|e| errno(&e))
}

/// Unpacks the files that the host would otherwise have put into the initramfs.
fn unpack(archive: &[u8], root: &Path) -> io::Result<()> {
    const KIND: u32 = 0o170_000;
    const FOLDER: u32 = 0o040_000;
    const LINK: u32 = 0o120_000;
    let mut rest = archive;
    while !rest.is_empty() {
        let mut reader = cpio::newc::Reader::new(rest)?;
        let entry = reader.entry();
        if entry.is_trailer() {
            break;
        }
        let path = root.join(entry.name().trim_start_matches('/'));
        let mode = entry.mode();
        let size = entry.file_size() as usize;
        let mut content = Vec::with_capacity(size);
        io::Read::read_to_end(&mut reader, &mut content)?;
        if content.len() != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        rest = reader.finish()?;
        match mode & KIND {
            FOLDER => fs::create_dir_all(&path)?,
            LINK => {
                let _ = fs::remove_file(&path);
                symlink(String::from_utf8_lossy(&content).as_ref(), &path)?;
            }
            _ => {
                fs::write(&path, &content)?;
                fs::set_permissions(&path, fs::Permissions::from_mode(mode & 0o7777))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(entries: &[(&str, u32, &[u8])]) -> Vec<u8> {
        let inputs = entries.iter().map(|(name, mode, content)| {
            let builder = cpio::NewcBuilder::new(name).mode(*mode);
            (builder, io::Cursor::new(content.to_vec()))
        });
        cpio::write_cpio(inputs, Vec::new()).unwrap()
    }

    #[test]
    fn archive_unpacks_files_folders_and_links() {
        let dir = tempfile::tempdir().unwrap();
        let archive = archive(&[
            ("a", 0o040_755, b""),
            ("a/odd", 0o100_640, b"12345"),
            ("a/empty", 0o100_755, b""),
            ("link", 0o120_777, b"a/odd"),
        ]);
        // The archive is unpacked twice, because existing files have to be replaced.
        for _ in 0..2 {
            unpack(&archive, dir.path()).unwrap();
            assert_eq!(fs::read(dir.path().join("link")).unwrap(), b"12345");
            let mode = fs::metadata(dir.path().join("a/empty")).unwrap().mode();
            assert_eq!(mode & 0o777, 0o755);
        }
    }

    #[test]
    fn empty_and_malformed_archives_are_handled() {
        let dir = tempfile::tempdir().unwrap();
        unpack(b"", dir.path()).unwrap();
        assert!(unpack(b"no archive", dir.path()).is_err());
        let mut cut = archive(&[("x", 0o100_644, &[1; 1000])]);
        cut.truncate(600);
        assert!(unpack(&cut, dir.path()).is_err());
    }

    use std::os::unix::fs::MetadataExt;
}
