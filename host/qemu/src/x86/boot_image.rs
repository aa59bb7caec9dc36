// SPDX-License-Identifier: MIT OR Apache-2.0

//! Prepares a kernel image that QEMU boots fast: the uncompressed `vmlinux`, entered through
//! its PVH note. This saves running the decompressor inside the guest.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Read, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use koru_error::{Error, IoContext, Kind, Result};

/// A kernel image that QEMU's `-kernel` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootImage {
    /// The path of the image.
    pub path: PathBuf,
    /// Whether the kernel is entered by PVH, for which qboot is enough of a BIOS.
    pub pvh: bool,
}

impl BootImage {
    /// Prepares a `vmlinuz` or a `vmlinux`. An unpacked image is kept in `cache`, either
    /// complete or not at all, and any number of processes may prepare it at once. A
    /// compressed image of an unknown format boots as it is.
    pub fn prepare(image: &Path, cache: &Path) -> Result<Self> {
        let meta = fs::metadata(image).path_context("reading", image)?;
        let mut key = DefaultHasher::new();
        let real = image.canonicalize().path_context("finding", image)?;
        (
            real,
            meta.len(),
            meta.mtime(),
            meta.mtime_nsec(),
            meta.ino(),
        )
            .hash(&mut key);
        let name = image.file_name().unwrap_or_default().to_string_lossy();
        let kept = cache.join(format!("{name}.{:016x}.vmlinux", key.finish()));
        if kept.exists() {
            return Ok(BootImage {
                path: kept,
                pvh: true,
            });
        }
        let bytes = fs::read(image).path_context("reading", image)?;
        if bytes.starts_with(ELF) {
            let pvh = has_pvh_note(&bytes);
            if !pvh {
                let why = "this vmlinux has no PVH entry (CONFIG_PVH); use its bzImage";
                return Err(unusable(image, why));
            }
            return Ok(BootImage {
                path: image.into(),
                pvh,
            });
        }
        let payload = payload(&bytes).map_err(|why| unusable(image, why))?;
        let as_it_is = BootImage {
            path: image.into(),
            pvh: false,
        };
        let Some(vmlinux) = unpack(payload) else {
            return Ok(as_it_is);
        };
        if !has_pvh_note(&vmlinux) {
            return Ok(as_it_is);
        }
        fs::create_dir_all(cache).path_context("making", cache)?;
        let written = (|| {
            let mut part = tempfile::NamedTempFile::new_in(cache)?;
            part.write_all(&vmlinux)?;
            part.as_file().sync_all()?;
            // The first of several processes wins, because others may already use its file.
            match part.persist_noclobber(&kept) {
                Err(e) if e.error.kind() != io::ErrorKind::AlreadyExists => Err(e.error),
                _ => Ok(()),
            }
        })();
        written.path_context("writing", &kept)?;
        Ok(BootImage {
            path: kept,
            pvh: true,
        })
    }
}

/// Returns the error for a file that is no kernel image to boot.
fn unusable(image: &Path, why: &str) -> Error {
    let context = format!("reading the kernel image {}", image.display());
    Error::new(Kind::Usage, context, why)
}

const ELF: &[u8] = b"\x7fELF";

fn u16_at(bytes: &[u8], at: usize) -> Option<u64> {
    let b = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(b.try_into().ok()?).into())
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u64> {
    let b = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(b.try_into().ok()?).into())
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let b = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(b.try_into().ok()?))
}

/// Returns the compressed kernel inside a bzImage, which the boot header of
/// Documentation/arch/x86/boot.rst describes.
fn payload(image: &[u8]) -> std::result::Result<&[u8], &'static str> {
    const NOT_A_KERNEL: &str = "not an x86 kernel image (vmlinuz)";
    const SETUP_SECTORS: usize = 0x1f1;
    const MAGIC: usize = 0x202;
    const VERSION: usize = 0x206;
    const PAYLOAD_OFFSET: usize = 0x248;
    const PAYLOAD_LENGTH: usize = 0x24c;
    if image.get(MAGIC..MAGIC + 4) != Some(b"HdrS") {
        return Err(NOT_A_KERNEL);
    }
    if u16_at(image, VERSION).ok_or(NOT_A_KERNEL)? < 0x208 {
        return Err("a kernel image older than Linux 2.6.26");
    }
    let sectors = match image[SETUP_SECTORS] {
        0 => 4,
        n => usize::from(n),
    };
    let start = (sectors + 1) * 512 + u32_at(image, PAYLOAD_OFFSET).ok_or(NOT_A_KERNEL)? as usize;
    let length = u32_at(image, PAYLOAD_LENGTH).ok_or(NOT_A_KERNEL)? as usize;
    image
        .get(start..start.saturating_add(length))
        .ok_or("the kernel image is cut short")
}

/// Unpacks a payload; returns `None` when its format is unknown here.
fn unpack(payload: &[u8]) -> Option<Vec<u8>> {
    let vmlinux = match payload {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => unpack_zstd(payload),
        [0x02, 0x21, 0x4c, 0x18, ..] => unpack_lz4(&payload[4..]),
        [0x1f, 0x8b, ..] => {
            let mut out = Vec::new();
            flate2::read::GzDecoder::new(payload)
                .read_to_end(&mut out)
                .ok()
                .map(|_| out)
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            unpack_with("xz", &["--single-stream", "-dc"], payload)
        }
        [b'B', b'Z', b'h', ..] => unpack_with("bzip2", &["-dc"], payload),
        _ if payload.starts_with(ELF) => Some(payload.to_vec()),
        _ => None,
    }?;
    vmlinux.starts_with(ELF).then_some(vmlinux)
}

fn unpack_zstd(payload: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut decoder = ruzstd::decoding::StreamingDecoder::new(payload).ok()?;
    decoder.read_to_end(&mut out).ok()?;
    Some(out)
}

/// Unpacks the "legacy" format of lz4: blocks of at most 8 MB, each after its packed length.
/// The length of the unpacked image, four bytes, follows the last block.
fn unpack_lz4(mut rest: &[u8]) -> Option<Vec<u8>> {
    const BLOCK: usize = 8 << 20;
    let mut out = Vec::new();
    let mut block = vec![0; BLOCK];
    while let Some(length) = u32_at(rest, 0) {
        let Some(packed) = rest.get(4..4 + length as usize) else {
            break;
        };
        let size = lz4_flex::block::decompress_into(packed, &mut block).ok()?;
        out.extend_from_slice(&block[..size]);
        rest = &rest[4 + length as usize..];
    }
    Some(out)
}

/// Unpacks a rare format with the tool that distributions pack it with.
fn unpack_with(tool: &str, args: &[&str], payload: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(tool)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take()?;
    std::thread::scope(|scope| {
        // The tool stops reading at the end of the stream, which the image's length follows.
        scope.spawn(move || _ = stdin.write_all(payload));
        Some(child.wait_with_output().ok()?.stdout)
    })
}

/// Returns whether an ELF file has Xen's note of type 18, the PVH entry point.
fn has_pvh_note(elf: &[u8]) -> bool {
    const PT_NOTE: u64 = 4;
    const PHYS32_ENTRY: u64 = 18;
    let notes = |index: usize| -> Option<&[u8]> {
        let table = u64_at(elf, 32)? as usize;
        let size = u16_at(elf, 54)? as usize;
        let header = table.checked_add(index.checked_mul(size)?)?;
        if u32_at(elf, header)? != PT_NOTE {
            return Some(&[]);
        }
        let start = u64_at(elf, header + 8)? as usize;
        let length = u64_at(elf, header + 32)? as usize;
        elf.get(start..start.checked_add(length)?)
    };
    let count = u16_at(elf, 56).unwrap_or(0) as usize;
    (0..count).filter_map(notes).any(|mut note| {
        while let (Some(name), Some(desc), Some(kind)) =
            (u32_at(note, 0), u32_at(note, 4), u32_at(note, 8))
        {
            if kind == PHYS32_ENTRY && note.get(12..16) == Some(b"Xen\0") {
                return true;
            }
            let padded = |n: u64| n.next_multiple_of(4) as usize;
            note = note
                .get(12 + padded(name) + padded(desc)..)
                .unwrap_or_default();
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Builds a bzImage with one setup sector around a payload.
    fn bzimage(payload: &[u8]) -> Vec<u8> {
        let mut image = vec![0; 1024];
        image[0x1f1] = 1;
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x206..0x208].copy_from_slice(&0x20fu16.to_le_bytes());
        image[0x248..0x24c].copy_from_slice(&16u32.to_le_bytes());
        image[0x24c..0x250].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        image.extend([0xcc; 16]);
        image.extend(payload);
        image
    }

    /// Builds an ELF file whose only program header is a note.
    fn vmlinux(note_type: u32) -> Vec<u8> {
        let mut elf = vec![0; 120];
        elf[..4].copy_from_slice(ELF);
        elf[32..40].copy_from_slice(&64u64.to_le_bytes());
        elf[54..56].copy_from_slice(&56u16.to_le_bytes());
        elf[56..58].copy_from_slice(&1u16.to_le_bytes());
        elf[64..68].copy_from_slice(&4u32.to_le_bytes());
        elf[72..80].copy_from_slice(&120u64.to_le_bytes());
        elf[96..104].copy_from_slice(&40u64.to_le_bytes());
        for (name, kind) in [(b"GNU\0", 3), (b"Xen\0", note_type)] {
            elf.extend(4u32.to_le_bytes());
            elf.extend(4u32.to_le_bytes());
            elf.extend(kind.to_le_bytes());
            elf.extend(name);
            elf.extend([0x11; 4]);
        }
        elf
    }

    fn lz4(data: &[u8]) -> Vec<u8> {
        let packed = lz4_flex::block::compress(data);
        let mut out = vec![0x02, 0x21, 0x4c, 0x18];
        out.extend((packed.len() as u32).to_le_bytes());
        out.extend(&packed);
        out.extend((data.len() as u32).to_le_bytes());
        out
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(data).unwrap();
        packer.finish().unwrap()
    }

    fn zstd(data: &[u8]) -> Vec<u8> {
        use ruzstd::encoding::{CompressionLevel, compress_to_vec};
        let mut out = compress_to_vec(data, CompressionLevel::Fastest);
        out.extend((data.len() as u32).to_le_bytes());
        out
    }

    fn prepare(image: &[u8]) -> (tempfile::TempDir, Result<BootImage>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vmlinuz-6.1");
        fs::write(&path, image).unwrap();
        let got = BootImage::prepare(&path, &dir.path().join("cache"));
        (dir, got)
    }

    #[test]
    fn unpacks_what_kernels_are_packed_with() {
        let elf = vmlinux(18);
        for (name, packed) in [
            ("lz4", lz4(&elf)),
            ("gzip", gzip(&elf)),
            ("zstd", zstd(&elf)),
        ] {
            let (_dir, got) = prepare(&bzimage(&packed));
            let got = got.unwrap();
            assert!(got.pvh, "{name}");
            assert_eq!(fs::read(&got.path).unwrap(), elf, "{name}");
        }
    }

    #[test]
    fn unknown_formats_boot_as_they_are() {
        for packed in [b"??? lzo".to_vec(), lz4(&vmlinux(17)), lz4(b"no elf")] {
            let (dir, got) = prepare(&bzimage(&packed));
            let got = got.unwrap();
            assert!(!got.pvh);
            assert_eq!(got.path, dir.path().join("vmlinuz-6.1"));
        }
    }

    #[test]
    fn damaged_images_are_refused() {
        let mut cut = bzimage(&lz4(&vmlinux(18)));
        cut.truncate(1050);
        for bad in [&cut[..], b"", b"#!/bin/sh\n", &[0; 600]] {
            let (_dir, got) = prepare(bad);
            assert!(got.is_err_and(|e| e.kind == Kind::Usage), "{bad:?}");
        }
    }

    #[test]
    fn the_second_time_it_is_there() {
        let (dir, first) = prepare(&bzimage(&lz4(&vmlinux(18))));
        let first = first.unwrap();
        let written = fs::metadata(&first.path).unwrap().mtime_nsec();
        let again =
            BootImage::prepare(&dir.path().join("vmlinuz-6.1"), &dir.path().join("cache")).unwrap();
        assert_eq!(again, first);
        assert_eq!(fs::metadata(&again.path).unwrap().mtime_nsec(), written);
        assert_eq!(fs::read_dir(dir.path().join("cache")).unwrap().count(), 1);
    }
}
