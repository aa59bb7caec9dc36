// SPDX-License-Identifier: MIT OR Apache-2.0

//! Notices when files are saved.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::Duration,
};

use koru_error::{Error, Kind, Result};
use notify_debouncer_mini::{
    Debouncer, new_debouncer,
    notify::{self, RecommendedWatcher, RecursiveMode},
};

/// How long after the last change a file counts as saved: editors write a file in several
/// steps.
const SETTLED: Duration = Duration::from_millis(100);

/// Every file and folder that is watched, with what changes when it is saved.
type Stamps = BTreeMap<PathBuf, (i64, i64, u64, u64)>;

/// A watcher of files and of everything in folders, except for what tools and editors leave
/// there. The system's notifications only wake the watcher up: a file counts as saved if it
/// differs from when watching began.
pub struct FileWatcher {
    seen: Arc<WatchState>,
    debouncer: Debouncer<RecommendedWatcher>,
    watched: HashSet<PathBuf>,
}

#[derive(Default)]
struct WatchState {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    roots: Vec<PathBuf>,
    stamps: Stamps,
    saved: bool,
    on_save: Option<Box<dyn FnOnce() + Send>>,
}

impl FileWatcher {
    pub fn new() -> Result<FileWatcher> {
        let seen = Arc::new(WatchState::default());
        let woken = seen.clone();
        Ok(FileWatcher {
            debouncer: new_debouncer(SETTLED, move |_| woken.look()).map_err(failed)?,
            seen,
            watched: HashSet::new(),
        })
    }

    /// Watches these files and folders from now on.
    pub fn begin(&mut self, roots: Vec<PathBuf>) -> Result<()> {
        self.request_notifications(&roots)?;
        let mut state = self.seen.state();
        state.stamps = stamps(&roots);
        state.roots = roots;
        state.saved = false;
        state.on_save = None;
        Ok(())
    }

    /// Watches these files and folders as well from now on.
    pub fn add(&mut self, roots: Vec<PathBuf>) -> Result<()> {
        self.request_notifications(&roots)?;
        let mut state = self.seen.state();
        state.stamps.extend(stamps(&roots));
        state.roots.extend(roots);
        Ok(())
    }

    fn request_notifications(&mut self, roots: &[PathBuf]) -> Result<()> {
        // Notifications are requested before the files are read, so no change is missed in
        // between.
        let folders = roots.iter().flat_map(|root| match root.is_dir() {
            true => walk(root).into_iter().filter(|p| p.is_dir()).collect(),
            // A file is often saved by replacing it with another.
            false => Vec::from_iter(root.parent().map(Path::to_path_buf)),
        });
        for folder in folders.collect::<Vec<_>>() {
            if self.watched.insert(folder.clone()) {
                let watcher = self.debouncer.watcher();
                match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                    Ok(()) => {}
                    // The folder is gone again, which is a change that reading the files
                    // finds.
                    Err(_) if !folder.exists() => _ = self.watched.remove(&folder),
                    Err(e) => return Err(failed(e)),
                }
            }
        }
        // A folder that was replaced has to be watched again.
        self.watched.retain(|folder| folder.exists());
        Ok(())
    }

    /// Returns the number of files that are watched.
    pub fn files(&self) -> usize {
        let state = self.seen.state();
        state.stamps.keys().filter(|p| !p.is_dir()).count()
    }

    /// Calls `act` at the next save, or at once if there was one already.
    pub fn on_save(&self, act: impl FnOnce() + Send + 'static) {
        let mut state = self.seen.state();
        if state.saved {
            drop(state);
            act();
        } else {
            state.on_save = Some(Box::new(act));
        }
    }

    /// Returns whether there was a save, and drops the function of [`FileWatcher::on_save`].
    pub fn end(&self) -> bool {
        let mut state = self.seen.state();
        state.on_save = None;
        state.saved
    }

    /// Waits for a save.
    pub fn wait(&self) {
        let state = self.seen.state();
        let waited = self.seen.changed.wait_while(state, |s| !s.saved);
        drop(waited);
    }
}

impl WatchState {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn look(&self) {
        let mut state = self.state();
        if state.saved || stamps(&state.roots) == state.stamps {
            return;
        }
        state.saved = true;
        let act = state.on_save.take();
        drop(state);
        self.changed.notify_all();
        if let Some(act) = act {
            act();
        }
    }
}

fn failed(error: notify::Error) -> Error {
    let e = Error::new(Kind::System, "watching for saves", error.to_string());
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => e.help(
            "raise fs.inotify.max_user_watches: sudo sysctl fs.inotify.max_user_watches=65536",
        ),
        notify::ErrorKind::Io(_) => {
            e.help("too many programs may be watching: see fs.inotify.max_user_instances")
        }
        _ => e,
    }
}

fn stamps(roots: &[PathBuf]) -> Stamps {
    let mut stamps = Stamps::new();
    for path in roots.iter().flat_map(|root| walk(root)) {
        if let Ok(meta) = fs::metadata(&path) {
            let stamp = match meta.is_dir() {
                // A folder itself has no stamp: changes show in its entries.
                true => (0, 0, 0, 0),
                false => (meta.mtime(), meta.mtime_nsec(), meta.size(), meta.ino()),
            };
            stamps.insert(path, stamp);
        }
    }
    stamps
}

/// Returns a file, or a folder and everything in it that counts.
fn walk(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.to_path_buf()];
    let mut next = 0;
    while let Some(path) = found.get(next) {
        next += 1;
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let entries = entries
            .filter(|e| {
                let is_dir = e.file_type().is_ok_and(|t| t.is_dir());
                !is_left_over(&e.file_name().to_string_lossy(), is_dir)
            })
            .map(|e| e.path());
        found.extend(entries.collect::<Vec<_>>());
    }
    found
}

/// Returns whether a name is that of a build's output, or of what editors leave for a moment
/// or for ever.
fn is_left_over(name: &str, is_dir: bool) -> bool {
    const ENDS: &[&str] = &[
        "~", ".swp", ".swx", ".swo", ".tmp", ".bak", ".orig", ".rej", ".o", ".ko", ".debug",
    ];
    name.starts_with('.')
        || name.starts_with('#') && name.ends_with('#')
        // vim uses such a file to check whether it can write to the folder.
        || !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit())
        || ENDS.iter().any(|end| name.ends_with(end))
        || name == "Cargo.lock"
        || is_dir && name == "target"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn what_does_not_count() {
        for name in [".lib.rs.swp", "lib.rs~", "4913", "#lib.rs#", "hello.ko"] {
            assert!(is_left_over(name, false), "{name}");
        }
        assert!(is_left_over("target", true));
        for name in ["lib.rs", "Cargo.toml", "target", "Makefile", "shim.h"] {
            assert!(!is_left_over(name, false), "{name}");
        }
    }

    #[test]
    fn a_save_is_noticed_and_noise_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let source = dir.path().join("src/lib.rs");
        fs::create_dir_all(dir.path().join("src")).unwrap();
        fs::create_dir_all(dir.path().join("target/deep")).unwrap();
        fs::write(&source, "one").unwrap();
        let mut saves = FileWatcher::new().unwrap();
        saves.begin(vec![dir.path().into()]).unwrap();
        assert_eq!(saves.files(), 1);
        for noise in ["src/.lib.rs.swp", "src/4913", "target/x", "Cargo.lock"] {
            fs::write(dir.path().join(noise), "x").unwrap();
        }
        saves.seen.look();
        assert!(!saves.end());
        // Editors often save a file by putting another one in its place.
        let (told, tells) = channel();
        saves.on_save(move || told.send(()).unwrap());
        let aside = dir.path().join("src/lib.rs~");
        fs::write(&aside, "two").unwrap();
        fs::rename(&aside, &source).unwrap();
        saves.wait();
        tells.recv().unwrap();
        assert!(saves.end());
        // Saves in a new folder are noticed as well.
        saves.begin(vec![dir.path().into()]).unwrap();
        fs::create_dir(dir.path().join("src/more")).unwrap();
        saves.wait();
        saves.begin(vec![dir.path().into()]).unwrap();
        fs::write(dir.path().join("src/more/mod.rs"), "").unwrap();
        saves.wait();
    }

    #[test]
    fn one_file_that_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let ko = dir.path().join("theirs.ko");
        fs::write(&ko, "one").unwrap();
        let mut saves = FileWatcher::new().unwrap();
        saves.begin(vec![ko.clone()]).unwrap();
        fs::write(dir.path().join("beside.c"), "").unwrap();
        saves.seen.look();
        assert!(!saves.end());
        fs::remove_file(&ko).unwrap();
        fs::write(&ko, "two").unwrap();
        saves.wait();
    }
}
