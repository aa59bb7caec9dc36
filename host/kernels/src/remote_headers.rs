// SPDX-License-Identifier: MIT OR Apache-2.0

//! Imports a build directory from another machine.

use std::{
    fs,
    io::Read,
    os::unix::fs::symlink,
    path::{Component, Path, PathBuf},
    process::{Command, Stdio},
};

use koru_error::{Error, IoContext, Kind, Result};

use crate::{KernelTree, Kernels, Progress, process::spawn_error, tree::header_release};

const SCRIPT: &str = include_str!("remote_headers.sh");

/// The exit status of the shell that runs [`pack_script`] when there is no build directory.
pub const NO_BUILD_DIR: i32 = 3;

/// Returns the script that a shell of the other machine runs to send the build directory
/// `build`, a path on that machine without special characters.
pub fn pack_script(build: &str) -> String {
    format!("build='{build}'\n{SCRIPT}")
}

impl Kernels {
    /// Keeps the tree of another machine's kernel. `fetch` passes on what the script of
    /// [`pack_script`] wrote on that machine. If that fails, or is not such a tree, nothing is
    /// kept.
    pub fn import(
        &self,
        release: &str,
        progress: &dyn Progress,
        fetch: impl FnOnce(&mut dyn FnMut(&[u8]) -> std::io::Result<()>) -> Result<()>,
    ) -> Result<KernelTree> {
        let attempted = format!("storing the headers of {release}");
        self.cache().entry("kernels", release, progress, |dir| {
            unpack(dir, fetch)?;
            let built = build_dirs(dir);
            let Some((tree, _)) = built.into_iter().find(|(_, found)| found == release) else {
                let message = "what arrived contains no build directory of this kernel";
                return Err(Error::new(Kind::System, attempted, message)
                    .help("install the headers of exactly this kernel on its machine"));
            };
            relocate(dir, dir)?;
            relocate_makefile(dir, &tree)?;
            let inside = tree.strip_prefix(dir).unwrap_or(&tree);
            symlink(inside, dir.join("tree")).path_context("linking in", dir)?;
            KernelTree::open(&dir.join("tree")).map(drop)
        })?;
        self.find(Some(release))
    }
}

/// Unpacks what `fetch` passes on. tar itself guards against names that lead out of the
/// folder.
fn unpack(
    dir: &Path,
    fetch: impl FnOnce(&mut dyn FnMut(&[u8]) -> std::io::Result<()>) -> Result<()>,
) -> Result<()> {
    use std::io::Write;
    let attempted = "unpacking the headers";
    let mut tar = Command::new("tar");
    tar.args(["-xz", "--no-same-owner", "-C"]).arg(dir);
    let mut child = tar
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| spawn_error(&tar, attempted, e))?;
    let mut archive = child.stdin.take();
    let fetched = fetch(&mut |bytes| match &mut archive {
        Some(archive) => archive.write_all(bytes),
        None => Ok(()),
    });
    drop(archive);
    let mut said = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        let _ = stderr.read_to_string(&mut said);
    }
    let status = child.wait().path_context("unpacking in", dir)?;
    // A broken connection explains the failure better than half an archive does.
    fetched?;
    match status.success() {
        true => Ok(()),
        false => {
            Err(Error::new(Kind::System, attempted, format!("tar failed ({status})")).output(said))
        }
    }
}

/// Returns the build directories below `dir`, with their releases.
pub(crate) fn build_dirs(dir: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        if let Some(release) = header_release(&folder) {
            // The Makefile may be a link to one that is elsewhere.
            if folder.join("Makefile").symlink_metadata().is_ok() {
                found.push((folder, release));
            }
            continue;
        }
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let below = entries.filter(|e| e.file_type().is_ok_and(|t| t.is_dir()));
        folders.extend(below.map(|e| e.path()));
    }
    found
}

/// Makes absolute links point to where their targets are now.
pub(crate) fn relocate(dir: &Path, folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).path_context("reading", folder)? {
        let path = entry.path_context("reading", folder)?.path();
        let meta = fs::symlink_metadata(&path).path_context("reading", &path)?;
        if meta.is_dir() {
            relocate(dir, &path)?;
        } else if meta.is_symlink() {
            let target = fs::read_link(&path).path_context("reading", &path)?;
            if let Some(now) = moved(dir, &target) {
                fs::remove_file(&path).path_context("replacing", &path)?;
                symlink(relative(folder, &now), &path).path_context("linking", &path)?;
            }
        }
    }
    Ok(())
}

/// Returns where an absolute path of the other machine is below `dir`.
fn moved(dir: &Path, path: &Path) -> Option<PathBuf> {
    let inside = path.strip_prefix("/").ok()?;
    // /lib may be a link to /usr/lib on that machine.
    let places = [dir.join(inside), dir.join("usr").join(inside)];
    places.into_iter().find(|p| fs::symlink_metadata(p).is_ok())
}

/// Makes the build directory's Makefile include the other one from where it is now.
pub(crate) fn relocate_makefile(dir: &Path, tree: &Path) -> Result<()> {
    let makefile = tree.join("Makefile");
    let text = fs::read_to_string(&makefile).path_context("reading", &makefile)?;
    let line = |line: &str| {
        let included = line.strip_prefix("include ").map(str::trim);
        let now = included.and_then(|path| moved(dir, Path::new(path)));
        now.map_or_else(
            || line.to_owned(),
            |now| {
                let path = relative(tree, &now);
                let here = "$(dir $(abspath $(lastword $(MAKEFILE_LIST))))";
                format!("include {here}{}", path.display())
            },
        )
    };
    let lines: Vec<String> = text.lines().map(line).collect();
    let now = lines.join("\n") + "\n";
    match now == text {
        true => Ok(()),
        false => fs::write(&makefile, now).path_context("writing", &makefile),
    }
}

/// Returns `to` relative to the folder `from`; both are absolute.
pub(crate) fn relative(from: &Path, to: &Path) -> PathBuf {
    let (from, to): (Vec<Component>, Vec<Component>) =
        (from.components().collect(), to.components().collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[common..].iter().map(|_| Component::ParentDir);
    up.chain(to[common..].iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seen_from_elsewhere() {
        let seen = |from: &str, to: &str| relative(Path::new(from), Path::new(to));
        assert_eq!(seen("/a/b/c", "/a/d/e"), Path::new("../../d/e"));
        assert_eq!(seen("/a", "/a/b"), Path::new("b"));
        assert_eq!(seen("/a/b", "/a"), Path::new(".."));
    }
}
