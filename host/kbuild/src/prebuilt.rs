// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads built modules, which distributions compress.

use std::{
    borrow::Cow,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::{Cache, Key, Progress, write_atomically};

use crate::paths::module_name;

/// The largest module that is unpacked, which is several times as large as any of the
/// kernel's own with debug info.
const MAX_SIZE: u64 = 1 << 30;

/// Returns whether a file is a module, to judge by its name.
pub fn is_prebuilt(name: &str) -> bool {
    [".ko", ".ko.xz", ".ko.zst", ".ko.gz"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// Returns a module's file, uncompressed: the file itself, or one in the cache that has its
/// content.
pub fn unpacked(cache: &Cache, path: &Path, progress: &dyn Progress) -> Result<PathBuf> {
    let packed = fs::read(path).path_context("reading", path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.ends_with(".ko") {
        return Ok(path.to_owned());
    }
    let file = format!("{}.ko", module_name(path));
    let entry = cache.entry(
        "unpacked",
        &Key::default().with(&packed).hex(),
        progress,
        |dir| write_atomically(&dir.join(&file), &unpack(&packed, path)?),
    )?;
    Ok(entry.join(file))
}

/// Returns the content of a compressed file. The first bytes tell the format.
fn unpack<'a>(packed: &'a [u8], path: &Path) -> Result<Cow<'a, [u8]>> {
    let mut content = Vec::new();
    let mut read = |from: &mut dyn Read| from.take(MAX_SIZE).read_to_end(&mut content);
    let read = match packed {
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => read(&mut lzma_rust2::XzReader::new(packed, true)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => ruzstd::decoding::StreamingDecoder::new(packed)
            .map_err(io::Error::other)
            .and_then(|mut from| read(&mut from)),
        [0x1f, 0x8b, ..] => read(&mut flate2::read::GzDecoder::new(packed)),
        _ => return Ok(Cow::Borrowed(packed)),
    };
    match read {
        Ok(_) => Ok(Cow::Owned(content)),
        Err(e) => {
            let attempted = format!("unpacking {}", path.display());
            Err(Error::new(Kind::Usage, attempted, e.to_string()))
        }
    }
}
