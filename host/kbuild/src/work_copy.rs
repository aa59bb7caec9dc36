// SPDX-License-Identifier: MIT OR Apache-2.0

//! Copies of a module's sources, in which Kbuild works.
//!
//! Kbuild writes next to the sources, and so for one kernel at a time. A copy for each kernel
//! leaves the user's folder as it is, and makes the next build an incremental one.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    ffi::{OsStr, OsString},
    fs::{self, Metadata},
    os::unix::fs::symlink,
    path::{Component, Path, PathBuf},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::{Cache, Key, Lock, Progress, write_atomically};
use tempfile::TempDir;

use crate::{
    build_state::{Stamp, State},
    make::{is_plain, plain_temporary_folder},
    makefile::without_tools,
    paths::repository,
};

/// The file in which modpost lists the symbols that modules have for others.
pub(crate) const SYMVERS: &str = "Module.symvers";

/// The largest folder that is copied.
const MAX_SIZE: u64 = 1 << 30;

/// A copy of a folder for one kernel, which is locked while this exists.
pub(crate) struct WorkCopy {
    /// The user's folder.
    source: PathBuf,
    /// The one file in it that is built, if it is not the whole folder.
    file: Option<OsString>,
    /// The folder of the copy, of the modules that were built, and of the state.
    home: PathBuf,
    /// The folder that the copy stands in, with links to what surrounds the user's folder.
    pub surroundings: PathBuf,
    /// The copy of the user's folder.
    pub dir: PathBuf,
    /// The repository that the user's folder is in, or the user's folder itself.
    repository: PathBuf,
    /// The folder of the copy, if make cannot work in the cache.
    _temporary: Option<TempDir>,
    _lock: Lock,
}

impl WorkCopy {
    /// Opens the copy of the folder `source` for a kernel. `file` names the one file in it that
    /// is built, if it is not the whole folder.
    pub fn open(
        cache: &Cache,
        source: &Path,
        file: Option<&OsStr>,
        release: &str,
        progress: &dyn Progress,
    ) -> Result<WorkCopy> {
        let source = source.canonicalize().path_context("reading", source)?;
        let home = home_of(cache, &source, file).join(release);
        let lock = Lock::take(
            &home,
            "build",
            &format!("building in {}", source.display()),
            progress,
        )?;
        let repository = repository(&source).unwrap_or(&source).to_owned();
        let base = repository.parent().unwrap_or(&repository);
        let temporary = match is_plain(&home) {
            true => None,
            false => Some(plain_temporary_folder("koru-build-")?),
        };
        let surroundings = temporary
            .as_ref()
            .map_or(home.join("work"), |t| t.path().to_owned());
        let mut dir = surroundings.clone();
        for component in source.strip_prefix(base).unwrap_or(&source).components() {
            if let Component::Normal(name) = component {
                dir.push(&*plain(name));
            }
        }
        Ok(WorkCopy {
            source,
            file: file.map(OsStr::to_owned),
            home,
            surroundings,
            dir,
            repository,
            _temporary: temporary,
            _lock: lock,
        })
    }

    /// Returns the folder of the user's that the build may read: the repository, or the whole
    /// folder that is built. One file may well be in a home folder, which is nobody's business.
    pub fn readable(&self) -> Option<&Path> {
        let is_alone = self.file.is_some() && self.repository == self.source;
        (!is_alone).then_some(&*self.repository)
    }

    /// Returns the modules of the last build with this key if nothing has changed since.
    pub fn current(&self, key: &str) -> Result<Option<Vec<PathBuf>>> {
        let state = self.state();
        if state.key != key || state.files != self.list()? {
            return Ok(None);
        }
        let is_same = |(path, stamp): (&PathBuf, &Stamp)| {
            fs::metadata(path).is_ok_and(|meta| Stamp::of(&meta) == *stamp)
        };
        if !state.outside.iter().all(is_same) {
            return Ok(None);
        }
        let kos: Vec<PathBuf> = state.kos.iter().map(|ko| self.home.join(ko)).collect();
        Ok(kos.iter().all(|ko| ko.is_file()).then_some(kos))
    }

    /// Makes the copy what the user's folder is, apart from what builds left in the copy.
    pub fn update(&self) -> Result<()> {
        let (old, new) = (self.state(), self.list()?);
        let size: u64 = new.values().map(|stamp| stamp.size()).sum();
        if size > MAX_SIZE {
            return Err(Error::new(
                Kind::Usage,
                format!("copying {}", self.source.display()),
                format!("it has {} MB of files, too many for a module", size >> 20),
            )
            .help(format!(
                "move what the module does not need out of the folder, which may have {} MB",
                MAX_SIZE >> 20
            )));
        }
        fs::create_dir_all(&self.dir).path_context("making", &self.dir)?;
        self.link_surroundings()?;
        if old.files.keys().any(|path| !new.contains_key(path)) {
            // make takes objects for current whose sources or headers are gone.
            for file in all_files(&self.dir) {
                let inside = file.strip_prefix(&self.dir).unwrap_or(&file);
                if !new.contains_key(inside) {
                    let _ = fs::remove_file(&file);
                }
            }
        }
        for (path, stamp) in &new {
            let copy = self.dir.join(path);
            if old.files.get(path) == Some(stamp) && copy.exists() {
                continue;
            }
            let folder = copy.parent().unwrap_or(&self.dir);
            fs::create_dir_all(folder).path_context("making", folder)?;
            self.copy(&self.source.join(path), &copy)?;
        }
        // Until the build is complete, nothing is current.
        State {
            files: new,
            providers: old.providers,
            ..State::default()
        }
        .save(&self.home)
    }

    /// Copies a file. The copy is new for make, even if the file is older than the one before.
    fn copy(&self, file: &Path, copy: &Path) -> Result<()> {
        // The copy may be a link, or not writable, as the file was.
        let _ = fs::remove_file(copy);
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if ["Makefile", "Kbuild", "makefile", "GNUmakefile"].contains(&&*name) {
            let text = fs::read(file).path_context("reading", file)?;
            let text = String::from_utf8_lossy(&text);
            return fs::write(copy, &*without_tools(&text)).path_context("writing", copy);
        }
        fs::copy(file, copy).path_context("copying", file)?;
        let now = std::time::SystemTime::now();
        let opened = fs::File::options().write(true).open(copy);
        opened
            .and_then(|f| f.set_modified(now))
            .or_else(|e| match e.kind() {
                std::io::ErrorKind::PermissionDenied => Ok(()),
                _ => Err(e),
            })
            .path_context("writing", copy)
    }

    /// Puts links to what surrounds the folder in its repository, because sources include files
    /// of `../include`, for example.
    fn link_surroundings(&self) -> Result<()> {
        let (mut real, mut copy) = (&*self.source, &*self.dir);
        while real != self.repository {
            let (Some(parent), Some(above)) = (real.parent(), copy.parent()) else {
                break;
            };
            for old in fs::read_dir(above)
                .path_context("reading", above)?
                .flatten()
            {
                if old.path().is_symlink() && !old.path().exists() {
                    let _ = fs::remove_file(old.path());
                }
            }
            for entry in fs::read_dir(parent)
                .path_context("reading", parent)?
                .flatten()
            {
                let link = above.join(entry.file_name());
                if entry.file_name() != ".git" && fs::symlink_metadata(&link).is_err() {
                    symlink(entry.path(), &link).path_context("linking", &link)?;
                }
            }
            (real, copy) = (parent, above);
        }
        Ok(())
    }

    /// Returns the folders whose modules the last build needed.
    pub fn providers(&self) -> Vec<PathBuf> {
        self.state().providers
    }

    /// Remembers that a build needs the modules of these folders as well.
    pub fn expect_providers(&self, folders: &[PathBuf]) -> Result<()> {
        let mut state = self.state();
        let known = state.providers.len();
        for folder in folders {
            if !state.providers.contains(folder) {
                state.providers.push(folder.clone());
            }
        }
        match state.providers.len() == known {
            true => Ok(()),
            false => state.save(&self.home),
        }
    }

    /// Keeps the modules that a build left in the copy, and what it needed of `providers`: their
    /// folders, and the files with their symbols. `lists` are other such files.
    pub fn finish(
        &self,
        key: &str,
        kos: &[PathBuf],
        providers: &[(PathBuf, PathBuf)],
        lists: &[PathBuf],
    ) -> Result<Vec<PathBuf>> {
        let mut kept = Vec::new();
        let mut names = Vec::new();
        for ko in kos {
            let name = ko.file_name().unwrap_or_default();
            let content = fs::read(ko).path_context("reading", ko)?;
            let place = self.home.join(name);
            write_atomically(&place, &content)?;
            names.push(name.to_string_lossy().into_owned());
            kept.push(place);
        }
        self.keep_symbols()?;
        let mut outside = self.outside();
        for symvers in providers.iter().map(|(_, list)| list).chain(lists) {
            let meta = fs::metadata(symvers).path_context("reading", symvers)?;
            outside.insert(symvers.clone(), Stamp::of(&meta));
        }
        State {
            key: key.to_owned(),
            outside,
            kos: names,
            providers: providers.iter().map(|(folder, _)| folder.clone()).collect(),
            ..self.state()
        }
        .save(&self.home)?;
        Ok(kept)
    }

    /// Keeps the list of the symbols that the modules have for others. A list that did not change
    /// keeps its time, so that what needs it is not built again.
    fn keep_symbols(&self) -> Result<()> {
        let made = fs::read(self.dir.join(SYMVERS)).unwrap_or_default();
        let kept = self.symvers();
        match fs::read(&kept).is_ok_and(|old| old == made) {
            true => Ok(()),
            false => write_atomically(&kept, &made),
        }
    }

    /// Returns the list of the symbols that the modules of the last build have for others.
    pub fn symvers(&self) -> PathBuf {
        self.home.join(SYMVERS)
    }

    /// Puts copies of lists of symbols where make can name and the sandbox read them, and returns
    /// their paths.
    pub fn put_symbols<'a>(&self, lists: impl Iterator<Item = &'a Path>) -> Result<Vec<String>> {
        let copies = lists.enumerate().map(|(n, list)| {
            let copy = self.surroundings.join(format!(".{n}.symvers"));
            fs::copy(list, &copy).path_context("copying", list)?;
            Ok(copy.display().to_string())
        });
        copies.collect()
    }

    /// Returns the repository that the user's folder is in, or the folder itself.
    pub fn repository(&self) -> &Path {
        &self.repository
    }

    /// Returns the user's folder.
    pub fn source(&self) -> &Path {
        &self.source
    }

    /// Returns a build's output with the paths of the user's folder.
    pub fn with_real_paths(&self, text: &str) -> String {
        text.replace(&*self.dir.to_string_lossy(), &self.source.to_string_lossy())
    }

    /// Returns the option of the compiler that gives the debug info the user's paths, if make
    /// and the shell pass these paths on as they are.
    pub fn prefix_map(&self) -> Option<String> {
        let (from, to) = (self.dir.to_str()?, self.source.to_str()?);
        (is_plain(&self.dir) && is_plain(&self.source))
            .then(|| format!("-ffile-prefix-map={from}={to}"))
    }

    /// Returns the folder of the copy and the one that it is a copy of.
    pub fn moved(&self) -> (PathBuf, PathBuf) {
        (self.dir.clone(), self.source.clone())
    }

    /// Returns the files of the repository, apart from the folder, that the compiler has read,
    /// which Kbuild notes in its `.cmd` files.
    fn outside(&self) -> BTreeMap<PathBuf, Stamp> {
        let mut found = BTreeMap::new();
        let mut folders = RealFolders::default();
        for file in all_files(&self.dir) {
            if !file.to_string_lossy().ends_with(".cmd") {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap_or_default();
            let words = text.split_whitespace().filter(|w| w.starts_with('/'));
            for path in words.filter_map(|word| folders.real_path(Path::new(word))) {
                let is_outside =
                    path.starts_with(&self.repository) && !path.starts_with(&self.source);
                if let (true, Ok(meta)) = (is_outside, fs::metadata(&path)) {
                    found.insert(path, Stamp::of(&meta));
                }
            }
        }
        found
    }

    /// Lists the files of the user's folder, without the output of an earlier build, which may
    /// be for another kernel. For one file, these are the file and the headers beside it.
    fn list(&self) -> Result<BTreeMap<PathBuf, Stamp>> {
        let mut found = BTreeMap::new();
        if let Some(file) = &self.file {
            for path in with_headers(&self.source.join(file)) {
                let meta = fs::metadata(&path).path_context("reading", &path)?;
                let name = path.file_name().unwrap_or_default();
                found.insert(name.into(), Stamp::of(&meta));
            }
            return Ok(found);
        }
        let mut folders = vec![self.source.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).path_context("reading", &folder)? {
                let entry = entry.path_context("reading", &folder)?;
                if is_output(&entry.file_name()) {
                    continue;
                }
                let path = entry.path();
                // Folders are not entered through links, which may lead up.
                if entry.file_type().is_ok_and(|t| t.is_dir()) {
                    folders.push(path);
                } else if let Ok(meta) = fs::metadata(&path).and_then(only_files) {
                    let inside = path.strip_prefix(&self.source).unwrap_or(&path);
                    found.insert(inside.to_owned(), Stamp::of(&meta));
                }
            }
        }
        Ok(found)
    }

    fn state(&self) -> State {
        State::read(&self.home)
    }
}

/// Returns the folder in the cache for what is made from a folder, or from one file in it.
pub fn home_of(cache: &Cache, source: &Path, file: Option<&OsStr>) -> PathBuf {
    let key = Key::default().with(source.as_os_str().as_encoded_bytes());
    let key = match file {
        Some(file) => key.with(file.as_encoded_bytes()),
        None => key,
    };
    modules_dir(cache).join(key.hex())
}

/// Returns the folder in the cache for all modules that are built from folders without an
/// output folder of their own.
pub fn modules_dir(cache: &Cache) -> PathBuf {
    cache.root().join("modules")
}

/// Returns a file, and the headers that are in the same folder.
pub fn with_headers(file: &Path) -> Vec<PathBuf> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut files = beside(folder, "h");
    files.insert(0, file.to_owned());
    files
}

/// Returns the files of a folder, apart from those of its folders, whose names have this ending.
pub fn beside(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|e| e == ending) && path.is_file())
        .collect();
    files.sort();
    files
}

/// Returns all files in a folder, without following links.
pub(crate) fn all_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(t) if t.is_dir() => folders.push(entry.path()),
                Ok(t) if t.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// The real paths of folders that were met before. A compiler reads a thousand headers from a few
/// dozen folders, and each real path is many system calls.
#[derive(Default)]
struct RealFolders(HashMap<PathBuf, Option<PathBuf>>);

impl RealFolders {
    /// Returns the real path of a file, if there is such a file.
    fn real_path(&mut self, file: &Path) -> Option<PathBuf> {
        if fs::symlink_metadata(file).ok()?.is_symlink() {
            return file.canonicalize().ok();
        }
        let folder = file.parent()?.to_owned();
        let real = self.0.entry(folder);
        let real = real.or_insert_with_key(|folder| folder.canonicalize().ok());
        Some(real.as_ref()?.join(file.file_name()?))
    }
}

fn only_files(meta: Metadata) -> std::io::Result<Metadata> {
    match meta.is_file() {
        true => Ok(meta),
        false => Err(std::io::ErrorKind::InvalidInput.into()),
    }
}

/// Returns the name of a folder in the copy, which make has to be able to take.
fn plain(name: &OsStr) -> Cow<'_, OsStr> {
    if is_plain(Path::new(name)) {
        return Cow::Borrowed(name);
    }
    let good = |b: &u8| b.is_ascii_alphanumeric() || b"._-+".contains(b);
    let bytes = name.as_encoded_bytes();
    let replaced = bytes
        .iter()
        .map(|b| if good(b) { char::from(*b) } else { '_' });
    Cow::Owned(replaced.collect::<String>().into())
}

fn is_output(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.')
        || [".o", ".ko", ".mod", ".mod.c"]
            .iter()
            .any(|e| name.ends_with(e))
        || [SYMVERS, "modules.order"].contains(&&*name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_replaced() {
        for (name, expected) in [
            ("lab-1", "lab-1"),
            ("my work", "my_work"),
            ("a$(b)", "a__b_"),
        ] {
            assert_eq!(plain(OsStr::new(name)), OsStr::new(expected));
        }
    }
}
