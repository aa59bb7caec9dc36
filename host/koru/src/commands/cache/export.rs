// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru cache export`.

use std::{
    fs::{self, File, Metadata, Permissions},
    io::{self, BufWriter, Write},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use flate2::{Compression, write::GzEncoder};
use indicatif::HumanBytes;
use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::Progress;
use tar::{Builder, EntryType, Header};

use super::{
    crates,
    layout::{KINDS, REGISTRY},
};
use crate::{
    context::Context,
    ctrl_c::{Interrupt, Interruptible},
    ui::json,
};

pub fn export(context: &Context, file: &Path, interrupt: &Interrupt) -> Result<()> {
    let file = context.cwd.join(file);
    let ui = &context.ui;
    let entries = entries(context)?;
    if !entries.iter().any(|entry| entry.starts_with("kernels")) {
        let message = "there is no downloaded kernel in the cache";
        let error = Error::new(Kind::Missing, "exporting the cache", message);
        return Err(error.help("`koru setup` downloads what is missing"));
    }
    ui.status("fetching crates");
    crates::fetch(&context.home.root)?;
    let registry = crates::registry()?;
    let locked = crates::locked(&context.home.root)?;
    let crates = crates::files(&registry, &locked);

    let folder = file.parent().unwrap_or(Path::new("/"));
    interrupt.note_from_now_on();
    let temporary = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .path_context("making a file in", folder)?;
    let zip = GzEncoder::new(BufWriter::new(temporary), Compression::fast());
    let mut archive = Archive {
        tar: Builder::new(zip),
        interrupt,
        written: 0,
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let written_to = format!("writing {name}");
    let tell = |written: u64| {
        let so_far = format!("{written_to}: {} packed", HumanBytes(written));
        ui.progress(&written_to, &so_far);
    };
    // First, so that they can be taken without unpacking the rest.
    for path in &crates {
        archive.add(&registry.join(path), &Path::new(REGISTRY).join(path), &tell)?;
    }
    let root = context.cache.root();
    for entry in &entries {
        let real = root.join(entry);
        let real = real.canonicalize().path_context("reading", &real)?;
        archive.add(&real, entry, &tell)?;
    }
    let written = archive.written;
    let temporary = archive.finish().path_context("writing", &file)?;
    interrupt.check().path_context("writing", &file)?;
    let made = temporary.persist(&file).map_err(|e| e.error);
    let made = made.path_context("writing", &file)?;
    let size = made.metadata().map_or(0, |meta| meta.len());
    ui.done();
    if context.json {
        json(&serde_json::json!({
            "file": file,
            "bytes": size,
            "unpacked_bytes": written,
            "entries": entries,
            "crates": crates.iter().filter(|c| c.starts_with("cache")).count(),
        }));
    }
    ui.say(&format!(
        "wrote {} ({}); on the other machine: koru cache import {name}",
        file.display(),
        HumanBytes(size)
    ));
    Ok(())
}

/// Returns the entries of the cache that are exported, as `KIND/NAME`.
fn entries(context: &Context) -> Result<Vec<PathBuf>> {
    let mut entries = Vec::new();
    for kind in KINDS {
        let folder = context.cache.root().join(kind);
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let hidden = entry.file_name().as_bytes().starts_with(b".");
            if !hidden && entry.path().is_dir() {
                entries.push(Path::new(kind).join(entry.file_name()));
            }
        }
    }
    for kernel in context.kernels.list()? {
        if !kernel.downloaded {
            context.ui.say(&format!(
                "note: {} is left out: it is the build directory {}",
                kernel.release,
                kernel.build_dir.display()
            ));
            entries.retain(|entry| *entry != Path::new("kernels").join(&kernel.release));
        }
    }
    entries.sort();
    Ok(entries)
}

/// The archive while it is written.
struct Archive<'a, W: Write> {
    tar: Builder<GzEncoder<BufWriter<W>>>,
    interrupt: &'a Interrupt,
    written: u64,
}

impl<W: Write> Archive<'_, W> {
    /// Adds a file or a folder with everything in it.
    fn add(&mut self, from: &Path, name: &Path, tell: &dyn Fn(u64)) -> Result<()> {
        let meta = fs::symlink_metadata(from).path_context("reading", from)?;
        self.add_one(from, name, &meta)
            .path_context("packing", from)?;
        tell(self.written);
        if meta.is_dir() {
            let folder = fs::read_dir(from).and_then(|dir| dir.collect::<io::Result<Vec<_>>>());
            let mut inside = folder.path_context("reading", from)?;
            inside.sort_by_key(fs::DirEntry::file_name);
            for entry in inside {
                self.add(&entry.path(), &name.join(entry.file_name()), tell)?;
            }
        }
        Ok(())
    }

    fn add_one(&mut self, from: &Path, name: &Path, meta: &Metadata) -> io::Result<()> {
        let mode = meta.permissions().mode() & 0o777;
        let written = meta.modified()?.duration_since(UNIX_EPOCH);
        let mut header = Header::new_gnu();
        header.set_mode(mode);
        header.set_mtime(written.map_or(0, |since| since.as_secs()));
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        if meta.is_dir() {
            header.set_entry_type(EntryType::Directory);
            self.tar.append_data(&mut header, name, io::empty())
        } else if meta.is_symlink() {
            let target = fs::read_link(from)?;
            header.set_entry_type(EntryType::Symlink);
            self.tar.append_link(&mut header, name, &target)
        } else {
            header.set_entry_type(EntryType::Regular);
            header.set_size(meta.len());
            let mut content = Interruptible {
                reader: File::open(from)?,
                interrupt: self.interrupt,
                length: 0,
            };
            self.tar.append_data(&mut header, name, &mut content)?;
            self.written += content.length;
            match content.length == meta.len() {
                true => Ok(()),
                false => Err(io::Error::other("it changed meanwhile")),
            }
        }
    }

    fn finish(self) -> io::Result<W> {
        let zip = self.tar.into_inner()?;
        zip.finish()?.into_inner().map_err(|e| e.into_error())
    }
}
