// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru cache import`.
//!
//! Everything is unpacked in a temporary folder of the cache. If all of it is intact, it is then
//! renamed to its place, entry by entry.

use std::{
    collections::HashSet,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink},
    path::{Component, Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use flate2::read::GzDecoder;
use indicatif::HumanBytes;
use koru_error::{Error, IoContext, Result};
use koru_kernels::Lacking;
use tar::{Archive, Entry, EntryType};

use super::{
    crates::{self, Locked},
    layout::{KINDS, REGISTRY},
};
use crate::{
    context::Context,
    ctrl_c::{Interrupt, Interruptible},
    ui::json,
};

/// The prefix of the temporary folder.
const TEMPORARY: &str = ".import.";

pub fn import(context: &Context, file: &Path, interrupt: &Interrupt) -> Result<()> {
    let ui = &*context.ui;
    let file = context.cwd.join(file);
    let opened = File::open(&file).path_context("opening", &file)?;
    let root = context.cache.root();
    fs::create_dir_all(root).path_context("making", root)?;
    let _lock = context.cache.lock("import", "cache import", ui)?;
    interrupt.note_from_now_on();
    // A process that was killed may have left one; this process holds the lock.
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let temporary = tempfile::Builder::new()
        .prefix(TEMPORARY)
        .tempdir_in(root)
        .path_context("making a folder in", root)?;
    let attempted = format!("importing {}", file.display());
    let fail = |e: io::Error| match e.kind() {
        io::ErrorKind::StorageFull => Error::io(&attempted, e).help(format!(
            "nothing was imported; free some disk space at {}, or set KORU_CACHE to another place",
            root.display()
        )),
        _ => Error::io(&attempted, e).help(
            "nothing was imported; the file has to be one that `koru cache export` has written, \
             copied as a whole",
        ),
    };
    let unpacking = Unpacking {
        root: temporary.path(),
        interrupt,
        links: HashSet::new(),
    };
    let tell = |written: u64| {
        let so_far = format!("unpacking: {}", HumanBytes(written));
        ui.progress("unpacking", &so_far);
    };
    unpacking.unpack(opened, &tell).map_err(fail)?;

    // From here on, every step is whole by itself.
    let (mut added, mut present) = (Vec::new(), Vec::new());
    for (kind, name) in entries(temporary.path()) {
        let from = temporary.path().join(kind).join(&name);
        let mut is_new = false;
        context.cache.entry(kind, &name, ui, |place| {
            is_new = true;
            fs::rename(&from, place).path_context("renaming to", place)
        })?;
        let list = if is_new { &mut added } else { &mut present };
        list.push(format!("{kind}/{name}"));
    }
    let locked = crates::locked(&context.home.root)?;
    let crates = take_crates(&temporary.path().join(REGISTRY), &locked)?;
    ui.done();
    if context.json {
        json(&serde_json::json!({ "added": added, "present": present, "crates": crates }));
        return Ok(());
    }
    for entry in &added {
        ui.say(&format!("added {entry}"));
    }
    ui.say(&format!(
        "{} entries added, {} were here already; {crates} crates added",
        added.len(),
        present.len()
    ));
    for release in context.kernels.releases() {
        let Some(Ok(tree)) = context.kernels.exactly(&release) else {
            continue;
        };
        if let Some(lacking) = Lacking::of(&tree).filter(|_| tree.userland.is_none()) {
            let note = format!("note: this machine cannot build for {release}: {lacking}");
            ui.say(&note);
        }
    }
    Ok(())
}

/// Returns kind and name of the entries in a folder that is laid out as the cache is.
fn entries(root: &Path) -> Vec<(&'static str, String)> {
    let mut entries = Vec::new();
    for kind in KINDS {
        for entry in fs::read_dir(root.join(kind))
            .into_iter()
            .flatten()
            .flatten()
        {
            entries.push((kind, entry.file_name().to_string_lossy().into_owned()));
        }
    }
    entries.sort();
    entries
}

/// Moves the crates to cargo's folder, and returns how many are new there. cargo itself checks
/// only crates that it downloads, so these are compared with the checkout's Cargo.lock.
fn take_crates(from: &Path, locked: &[Locked]) -> Result<usize> {
    let to = crates::registry()?;
    let mut new = 0;
    for path in crates::files(from, locked) {
        let (from, place) = (from.join(&path), to.join(&path));
        let is_crate = path.starts_with("cache");
        let written = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).ok();
        // The index of a package only grows, so the newer one has what both have.
        if place.exists() && (is_crate || written(&place) >= written(&from)) {
            continue;
        }
        let content = fs::read(&from).path_context("reading", &from)?;
        koru_kernels::write_atomically(&place, &content)?;
        new += usize::from(is_crate);
    }
    Ok(new)
}

/// The folder into which an archive is unpacked.
struct Unpacking<'a> {
    root: &'a Path,
    interrupt: &'a Interrupt,
    links: HashSet<PathBuf>,
}

impl Unpacking<'_> {
    fn unpack(mut self, file: File, tell: &dyn Fn(u64)) -> io::Result<()> {
        let mut archive = Archive::new(GzDecoder::new(file));
        let mut written = 0;
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = entry.path()?.into_owned();
            let unpacked = self.unpack_entry(&mut entry, &path);
            written += unpacked.map_err(|e| match e.kind() {
                io::ErrorKind::Other => e,
                kind => io::Error::new(kind, format!("{}: {e}", path.display())),
            })?;
            tell(written);
        }
        // The checksum of the compression is behind everything.
        io::copy(&mut archive.into_inner(), &mut io::sink())?;
        Ok(())
    }

    /// Unpacks one entry, and returns its size.
    fn unpack_entry(&mut self, entry: &mut Entry<impl Read>, path: &Path) -> io::Result<u64> {
        let kind = entry.header().entry_type();
        self.check(kind, path)?;
        let mode = entry.header().mode()? & 0o777;
        let place = self.root.join(path);
        let make_parents = || fs::create_dir_all(place.parent().unwrap_or(self.root));
        match kind {
            EntryType::Directory => {
                make_parents()?;
                // Its owner has to fill it.
                DirBuilder::new().mode(mode | 0o700).create(&place)?;
                Ok(0)
            }
            EntryType::Symlink => {
                let target = entry.link_name()?.unwrap_or_default().into_owned();
                if leaves(path, &target) {
                    return Err(refused(path, "it is a link to outside of the cache"));
                }
                make_parents()?;
                self.links.insert(path.to_owned());
                symlink(&target, &place)?;
                Ok(0)
            }
            _ => {
                let length = entry.size();
                let written = entry.header().mtime()?;
                make_parents()?;
                let mut options = OpenOptions::new();
                options.write(true).create_new(true).mode(0o600);
                let mut to = options.open(&place)?;
                let mut content = Interruptible {
                    reader: entry,
                    interrupt: self.interrupt,
                    length: 0,
                };
                io::copy(&mut content, &mut to)?;
                to.set_permissions(Permissions::from_mode(mode))?;
                to.set_modified(UNIX_EPOCH + Duration::from_secs(written))?;
                Ok(length)
            }
        }
    }

    /// Refuses what an export does not contain, above all what would be outside of the folder.
    fn check(&self, kind: EntryType, path: &Path) -> io::Result<()> {
        let names: Option<Vec<&str>> = path
            .components()
            .map(|part| match part {
                Component::Normal(name) => name.to_str(),
                _ => None,
            })
            .collect();
        let names = names.ok_or_else(|| refused(path, "it leads out of the cache"))?;
        let belongs = match names.as_slice() {
            ["cargo", "registry", "cache" | "index", _, ..] => kind == EntryType::Regular,
            [cache_kind, name, rest @ ..] => {
                let is_whole = kind == EntryType::Directory || !rest.is_empty();
                KINDS.contains(cache_kind) && !name.starts_with('.') && is_whole
            }
            _ => false,
        };
        let kinds = [EntryType::Directory, EntryType::Symlink, EntryType::Regular];
        if !belongs || !kinds.contains(&kind) {
            return Err(refused(path, "an export has no such entry"));
        }
        match path.ancestors().any(|above| self.links.contains(above)) {
            true => Err(refused(path, "it is behind a link")),
            false => Ok(()),
        }
    }
}

fn refused(path: &Path, why: &str) -> io::Error {
    io::Error::other(format!("{}: {why}", path.display()))
}

/// Returns whether a link leads out of its entry of the cache. An absolute link is one of a kernel's
/// or a suite's own file system, and nothing is written through links.
fn leaves(link: &Path, target: &Path) -> bool {
    let mut depth = link.components().count().saturating_sub(3);
    for part in target.components() {
        match part {
            Component::RootDir => return false,
            Component::ParentDir if depth == 0 => return true,
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_in_their_entry() {
        let leaves = |link: &str, target: &str| leaves(Path::new(link), Path::new(target));
        assert!(!leaves("kernels/6.1/tree", "usr/src/headers"));
        assert!(!leaves("kernels/6.1/usr/src/a", "../../boot/b"));
        assert!(!leaves("userlands/x/usr/bin/awk", "/etc/alternatives/awk"));
        assert!(leaves("kernels/6.1/tree", "../6.12/tree"));
        assert!(leaves("kernels/6.1/usr/a", "b/../../../c"));
    }
}
