// SPDX-License-Identifier: MIT OR Apache-2.0

//! Unpacks packages of the format RPM, for which Debian has no program at hand.
//!
//! A package consists of a lead, two headers (of the signature and of the package) and a
//! compressed cpio archive.

use std::{
    collections::HashMap,
    fs::{self, File, Permissions},
    io::{self, BufReader, Read},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Component, Path, PathBuf},
};

use cpio::newc;
use koru_error::{Error, Kind, Result};

const LEAD: u64 = 96;
const LEAD_MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];
const HEADER_MAGIC: [u8; 3] = [0x8e, 0xad, 0xe8];

/// The type of a file in its mode.
const TYPE: u32 = 0o170_000;
const FOLDER: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;

/// The longest target of a symbolic link.
const PATH_MAX: u32 = 4096;

/// Unpacks the files of a package into `dir`, where nothing leads out of it.
pub(crate) fn unpack(package: &Path, dir: &Path) -> Result<()> {
    let attempted = format!("unpacking {}", package.display());
    let unpacked = File::open(package).and_then(|file| read(BufReader::new(file), dir));
    unpacked.map_err(|e| match e.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            Error::new(Kind::Usage, attempted, e.to_string())
                .help("the file is not a whole package: get it again")
        }
        _ => Error::io(attempted, e),
    })
}

fn read(mut package: impl Read, dir: &Path) -> io::Result<()> {
    let mut magic = [0; 4];
    package.read_exact(&mut magic)?;
    if magic != LEAD_MAGIC {
        return Err(invalid("it is not in the format RPM"));
    }
    skip(&mut package, LEAD - 4)?;
    let signature = header(&mut package)?;
    // Only the first header is filled up to a multiple of eight.
    skip(&mut package, signature.next_multiple_of(8) - signature)?;
    header(&mut package)?;
    let mut magic = [0; 6];
    package.read_exact(&mut magic)?;
    let archive = magic.chain(package);
    match magic {
        [0xfd, b'7', b'z', b'X', b'Z', 0] => files(lzma_rust2::XzReader::new(archive, true), dir),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let archive = ruzstd::decoding::StreamingDecoder::new(archive);
            files(archive.map_err(|e| invalid(&e.to_string()))?, dir)
        }
        [0x1f, 0x8b, ..] => files(flate2::read::GzDecoder::new(archive), dir),
        [b'0', b'7', b'0', b'7', ..] => files(archive, dir),
        _ => Err(invalid("it is compressed in an unknown way")),
    }
}

/// Skips a header, and returns its size.
fn header(package: &mut impl Read) -> io::Result<u64> {
    let mut begin = [0; 16];
    package.read_exact(&mut begin)?;
    if begin[..3] != HEADER_MAGIC {
        return Err(invalid("it has no header where one has to be"));
    }
    let number = |at: usize| {
        let bytes = [begin[at], begin[at + 1], begin[at + 2], begin[at + 3]];
        u64::from(u32::from_be_bytes(bytes))
    };
    let size = number(8) * 16 + number(12);
    skip(package, size)?;
    Ok(size + 16)
}

fn skip(from: &mut impl Read, bytes: u64) -> io::Result<()> {
    match io::copy(&mut from.take(bytes), &mut io::sink())? == bytes {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Makes the files of an archive.
fn files(archive: impl Read, dir: &Path) -> io::Result<()> {
    let mut archive = BufReader::new(archive);
    // Of a file with several names, only the last one has the content.
    let mut names: HashMap<u32, Vec<PathBuf>> = HashMap::new();
    loop {
        let mut file = newc::Reader::new(archive)?;
        let entry = file.entry();
        if entry.is_trailer() {
            return Ok(());
        }
        let path = below(dir, entry.name())?;
        let (mode, ino, links, size) =
            (entry.mode(), entry.ino(), entry.nlink(), entry.file_size());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        match mode & TYPE {
            FOLDER => fs::create_dir_all(&path)?,
            LINK if size <= PATH_MAX => {
                let mut target = String::new();
                file.read_to_string(&mut target)?;
                replace(&path)?;
                symlink(target, &path)?;
            }
            FILE if links > 1 && size == 0 => names.entry(ino).or_default().push(path),
            FILE => {
                replace(&path)?;
                io::copy(&mut file, &mut File::create_new(&path)?)?;
                // A program stays one, and its owner can remove it.
                fs::set_permissions(&path, Permissions::from_mode(mode & 0o755 | 0o600))?;
                for name in names.remove(&ino).unwrap_or_default() {
                    replace(&name)?;
                    fs::hard_link(&path, &name)?;
                }
            }
            _ => {}
        }
        archive = file.finish()?;
    }
}

/// Returns the path of an archive's file below `dir`.
fn below(dir: &Path, name: &str) -> io::Result<PathBuf> {
    let mut path = dir.to_owned();
    for component in Path::new(name).components() {
        // A link that another package made could lead out of the folder.
        if path != dir && path.is_symlink() {
            return Err(invalid(&format!("its file {name} is behind a link")));
        }
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir | Component::RootDir => {}
            _ => return Err(invalid(&format!("its file {name} is outside"))),
        }
    }
    Ok(path)
}

/// Removes a file that is in the way of another one.
fn replace(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(meta) if !meta.is_dir() => fs::remove_file(path),
        _ => Ok(()),
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Returns a package with these files: name, mode, content.
    fn package(entries: &[(&str, u32, &str)]) -> Vec<u8> {
        let mut archive = Vec::new();
        for (name, mode, content) in entries {
            let entry = newc::Builder::new(name).mode(*mode).nlink(1);
            let mut file = entry.write(&mut archive, u32::try_from(content.len()).unwrap());
            file.write_all(content.as_bytes()).unwrap();
            file.finish().unwrap();
        }
        newc::trailer(&mut archive).unwrap();
        let mut all = LEAD_MAGIC.to_vec();
        all.resize(96, 0);
        // A header with one entry and three bytes, which is filled up, and one without both.
        for (entries, bytes, filled) in [(1_u8, 3_u8, 5), (0, 0, 0)] {
            all.extend([0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0]);
            all.extend([0, 0, 0, entries, 0, 0, 0, bytes]);
            all.resize(
                all.len() + usize::from(entries) * 16 + usize::from(bytes) + filled,
                7,
            );
        }
        all.extend(archive);
        all
    }

    #[test]
    fn files_of_a_package() {
        let dir = tempfile::tempdir().unwrap();
        let made = package(&[
            ("./usr/src", FOLDER | 0o755, ""),
            ("./usr/src/run", FILE | 0o555, "#!/bin/sh\n"),
            ("./lib/modules/1.2/build", LINK | 0o777, "/usr/src"),
        ]);
        read(made.as_slice(), dir.path()).unwrap();
        let run = dir.path().join("usr/src/run");
        assert_eq!(fs::read_to_string(&run).unwrap(), "#!/bin/sh\n");
        assert_eq!(
            fs::metadata(&run).unwrap().permissions().mode() & 0o777,
            0o755
        );
        let link = fs::read_link(dir.path().join("lib/modules/1.2/build")).unwrap();
        assert_eq!(link, Path::new("/usr/src"));
    }

    #[test]
    fn nothing_is_made_outside() {
        let dir = tempfile::tempdir().unwrap();
        let inside = dir.path().join("inside");
        fs::create_dir(&inside).unwrap();
        for entries in [
            &[("../out", FILE | 0o644, "x")][..],
            &[
                ("link", LINK | 0o777, ".."),
                ("link/out", FILE | 0o644, "x"),
            ],
            &[("a", LINK | 0o777, ".."), ("a/b/out", FILE | 0o644, "x")],
        ] {
            let read = read(package(entries).as_slice(), &inside);
            assert_eq!(read.unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
        // A file takes the place of a link.
        let twice = [("y", LINK | 0o777, "../out"), ("y", FILE | 0o644, "x")];
        read(package(&twice).as_slice(), &inside).unwrap();
        assert!(!dir.path().join("out").exists());
    }

    #[test]
    fn broken_packages() {
        let dir = tempfile::tempdir().unwrap();
        let whole = package(&[("x", FILE | 0o644, "x")]);
        let file = dir.path().join("x.rpm");
        for broken in [&whole[..200], &whole[..50], b"!<arch>\nxxxxxxx"] {
            fs::write(&file, broken).unwrap();
            let error = unpack(&file, dir.path()).unwrap_err();
            assert_eq!(error.kind, Kind::Usage, "{error:?}");
        }
    }
}
