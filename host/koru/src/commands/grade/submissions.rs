// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the submissions of a class, and unpacks them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::{Key, busybox};
use koru_sandbox::{Limits, Sandbox};
use tempfile::TempDir;

use crate::context::Context;

/// The largest size of a submission, unpacked.
const MOST_BYTES: u64 = 64 << 20;

/// The largest number of files of a submission.
const MOST_FILES: usize = 5000;

/// How deep the module may be inside a submission.
const DEEPEST: usize = 4;

/// The work of one student.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The student's name, as the folder or file says it.
    pub name: String,
    /// The folders, archives or files that were handed in.
    pub parts: Vec<PathBuf>,
}

/// A copy of the work of one student.
pub struct Unpacked {
    /// The folder with all files.
    pub files: PathBuf,
    /// The folder or file to build.
    pub module: PathBuf,
    /// A hash of the name and the content.
    pub hash: String,
}

/// Finds the submissions in a folder, in the order of their names.
pub fn find(folder: &Path) -> Result<Vec<Submission>> {
    let entries = fs::read_dir(folder).map_err(|e| {
        let attempted = format!("reading the submissions in {}", folder.display());
        Error::new(Kind::Usage, attempted, e.to_string())
    })?;
    let mut found: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in entries.flatten().map(|e| e.path()) {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        if file.starts_with('.') || file.starts_with("__") {
            continue;
        }
        found
            .entry(student(&file, path.is_dir()))
            .or_default()
            .push(path);
    }
    if found.is_empty() {
        let attempted = format!("reading the submissions in {}", folder.display());
        let message = "there are none: each student has a folder, an archive or a file there";
        return Err(Error::new(Kind::Usage, attempted, message));
    }
    let submission = |(name, mut parts): (String, Vec<PathBuf>)| {
        parts.sort();
        Submission { name, parts }
    };
    Ok(found.into_iter().map(submission).collect())
}

/// Returns the student to whom a folder or file belongs.
fn student(file: &str, is_folder: bool) -> String {
    // Moodle: `Ada Lovelace_123456_assignsubmission_file_`, a folder or an archive.
    if let Some((before, _)) = file.split_once("_assignsubmission_") {
        let name = before.rsplit_once('_').map_or(before, |(name, _)| name);
        return name.to_owned();
    }
    if is_folder {
        return file.to_owned();
    }
    // Canvas: `lovelaceada_12345_67890_lab2.zip`, perhaps with `LATE_` behind the name.
    let parts: Vec<&str> = file.splitn(5, '_').collect();
    let parts = match &parts[..] {
        [name, "LATE", rest @ ..] => [&[*name], rest].concat(),
        parts => parts.to_vec(),
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if let [name, user, upload, _, ..] = parts[..] {
        if is_number(user) && is_number(upload) {
            return name.to_owned();
        }
    }
    let endings = [".tar.gz", ".tar.xz", ".tar.bz2"];
    let long = endings.iter().find_map(|ending| file.strip_suffix(ending));
    let stem = long.or(file.rsplit_once('.').map(|(stem, _)| stem));
    stem.unwrap_or(file).to_owned()
}

/// The kinds of archives, by their first bytes: what of busybox unpacks them.
const ARCHIVES: [(&[u8], &[&str]); 4] = [
    (b"PK\x03\x04", &["unzip", "-q", "-o"]),
    (b"\x1f\x8b", &["tar", "-xzf"]),
    (b"\xfd7zXZ", &["tar", "-xJf"]),
    (b"BZh", &["tar", "-xjf"]),
];

/// Returns what unpacks a file, if it is an archive.
fn unpacker(path: &Path) -> Option<&'static [&'static str]> {
    let mut head = [0; 512];
    let read = File::open(path).and_then(|mut file| file.read(&mut head));
    let head = &head[..read.unwrap_or(0)];
    if head.get(257..262) == Some(b"ustar") {
        return Some(&["tar", "-xf"]);
    }
    let known = ARCHIVES.iter().find(|(magic, _)| head.starts_with(magic));
    known.map(|(_, command)| *command)
}

impl Submission {
    /// Copies the work to a folder of its own in the cache. Links are left out, and archives are
    /// unpacked in a sandbox.
    pub fn unpack(&self, context: &Context) -> Result<Unpacked> {
        let attempted = format!("unpacking the work of {}", self.name);
        let mut content = Content::default();
        for part in &self.parts {
            content.add(part, Path::new(""), 0)?;
        }
        let hash = std::mem::take(&mut content.hash).with(&self.name).hex();
        let folder = context.cache.root().join("submissions").join(&hash);
        let files = folder.join("work");
        if !folder.is_dir() {
            // The folder appears with all files in it, since another grading may want it as well.
            let above = context.cache.root().join("submissions");
            fs::create_dir_all(&above).path_context("creating", &above)?;
            let new = TempDir::with_prefix_in(".new-", &above).path_context("creating", &above)?;
            content.unpack(context, &new.path().join("work"), &attempted)?;
            let readable = fs::Permissions::from_mode(0o755);
            fs::set_permissions(new.path(), readable).path_context("changing", new.path())?;
            match fs::rename(new.path(), &folder) {
                Ok(()) => _ = new.keep(),
                // The other one was faster, and has the same files.
                Err(_) if folder.is_dir() => {}
                Err(e) => return Err(e).path_context("writing", &folder),
            }
        }
        Ok(Unpacked {
            module: module_in(&files, &attempted)?,
            files,
            hash,
        })
    }
}

/// The files of a submission.
#[derive(Default)]
struct Content {
    hash: Key,
    files: Vec<(PathBuf, PathBuf)>,
    bytes: u64,
}

impl Content {
    /// Copies the files to a new folder, and unpacks the archives among them.
    fn unpack(&self, context: &Context, to: &Path, attempted: &str) -> Result<()> {
        fs::create_dir_all(to).path_context("creating", to)?;
        for (from, path) in &self.files {
            let path = to.join(path);
            let above = path.parent().unwrap_or(to);
            fs::create_dir_all(above).path_context("creating", above)?;
            match unpacker(from) {
                Some(command) => extract(context, command, from, above, attempted)?,
                None => _ = fs::copy(from, &path).path_context("copying", from)?,
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, above: &Path, depth: usize) -> Result<()> {
        let meta = fs::symlink_metadata(path).path_context("reading", path)?;
        let name = path.file_name().unwrap_or_default();
        let to = match (depth, meta.is_dir()) {
            // The student's own folder is not part of the work.
            (0, true) => PathBuf::new(),
            _ => above.join(name),
        };
        if meta.is_dir() {
            if name == ".git" || name == "__MACOSX" || depth > 20 {
                return Ok(());
            }
            let entries = fs::read_dir(path).path_context("reading", path)?;
            let mut entries: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
            entries.sort();
            return entries
                .iter()
                .try_for_each(|entry| self.add(entry, &to, depth + 1));
        }
        if !meta.is_file() {
            return Ok(());
        }
        self.bytes += meta.len();
        if self.bytes > MOST_BYTES || self.files.len() >= MOST_FILES {
            let message = format!(
                "it is larger than {} MB, or has more than {MOST_FILES} files",
                MOST_BYTES >> 20
            );
            return Err(Error::new(Kind::Link, "reading the submission", message));
        }
        let hash = std::mem::take(&mut self.hash);
        self.hash = hash
            .with(to.as_os_str().as_encoded_bytes())
            .add_file(path)?;
        self.files.push((path.to_owned(), to));
        Ok(())
    }
}

/// Unpacks an archive, which may be of any kind and by anybody.
fn extract(
    context: &Context,
    unpacker: &[&str],
    archive: &Path,
    to: &Path,
    attempted: &str,
) -> Result<()> {
    let busybox = busybox(&context.cache, &*context.ui)?;
    let limits = Limits {
        time: Duration::from_secs(60),
        disk: MOST_BYTES,
        ..Limits::default()
    };
    let archive = fs::canonicalize(archive).path_context("reading", archive)?;
    // The program in the sandbox is perhaps another user, who can read this folder.
    let copy = to.join(".archive");
    fs::copy(&archive, &copy).path_context("copying", &archive)?;
    let mut command = Command::new(&busybox);
    command.args(unpacker).arg(".archive");
    let sandbox = Sandbox::new(limits).readable(&busybox).work(to, to);
    let unpacked = sandbox.output(&command, attempted);
    _ = fs::remove_file(&copy);
    let output = unpacked?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let message = "the archive cannot be unpacked";
        return Err(Error::new(Kind::Link, attempted, message).output(said));
    }
    Ok(())
}

/// Returns the folder or file of the module inside a submission.
fn module_in(folder: &Path, attempted: &str) -> Result<PathBuf> {
    let mut level = vec![folder.to_owned()];
    for _ in 0..DEEPEST {
        let mut below = Vec::new();
        let mut sources = Vec::new();
        for folder in &level {
            let entries = fs::read_dir(folder).path_context("reading", folder)?;
            let mut entries: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
            entries.sort();
            let named = |name: &str| entries.iter().any(|e| e.ends_with(name) && e.is_file());
            if ["Kbuild", "Makefile", "makefile", "Cargo.toml"]
                .iter()
                .any(|n| named(n))
            {
                return Ok(folder.clone());
            }
            for entry in entries {
                let is_hidden = entry.ends_with("__MACOSX") || entry.ends_with(".git");
                match entry.extension().and_then(|e| e.to_str()) {
                    _ if is_hidden => {}
                    _ if entry.is_dir() => below.push(entry),
                    Some("c" | "rs" | "ko") => sources.push(entry),
                    _ => {}
                }
            }
        }
        match &sources[..] {
            [] => level = below,
            [one] => return Ok(one.clone()),
            _ => {
                let message = "there are several sources, and no Makefile or Kbuild";
                return Err(Error::new(Kind::Link, attempted, message));
            }
        }
    }
    let message = "there is no module: no Makefile, Kbuild, Cargo.toml, .c, .rs or .ko";
    Err(Error::new(Kind::Link, attempted, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_are_named_as_in_moodle_and_canvas() {
        for (file, is_folder, name) in [
            (
                "Ada Lovelace_123_assignsubmission_file_",
                true,
                "Ada Lovelace",
            ),
            ("Ada_B_123_assignsubmission_file_lab.zip", false, "Ada_B"),
            ("lovelaceada_12345_67890_lab_2.zip", false, "lovelaceada"),
            ("lovelaceada_LATE_12345_67890_lab2.c", false, "lovelaceada"),
            ("ada.tar.gz", false, "ada"),
            ("ada_lovelace.c", false, "ada_lovelace"),
            ("ada.b", true, "ada.b"),
        ] {
            assert_eq!(student(file, is_folder), name, "{file}");
        }
    }

    #[test]
    fn module_is_found_inside() {
        let dir = tempfile::tempdir().unwrap();
        let put = |path: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        assert!(module_in(dir.path(), "x").is_err());
        put("a/b/lab.c");
        assert_eq!(
            module_in(dir.path(), "x").unwrap(),
            dir.path().join("a/b/lab.c")
        );
        put("a/b/other.c");
        assert!(module_in(dir.path(), "x").is_err());
        put("a/b/Makefile");
        assert_eq!(module_in(dir.path(), "x").unwrap(), dir.path().join("a/b"));
    }
}
