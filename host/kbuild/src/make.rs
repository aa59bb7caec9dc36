// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs the kernel's own build, Kbuild, in folders of any name.
//!
//! make splits text at blanks, and has a meaning of its own for `:`, `#`, `$`, `%` and others,
//! so Kbuild works only in folders, and with kernel trees, whose paths have none of these. It
//! asks for the real path of a kernel tree, so a symbolic link to the tree does not help. Where
//! a path has other characters than [`is_plain`] allows, make gets a temporary folder: a
//! [`WorkFolder`] for the outputs, and for the tree a folder of links to what is in the tree.

use std::{
    env, fs,
    ops::{Deref, DerefMut},
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::{KernelTree, Lacking, USERLAND_KEEPS, output};
use koru_sandbox::{Sandbox, with_system};
use tempfile::TempDir;

/// Returns whether make and the shell take a path literally.
pub(crate) fn is_plain(path: &Path) -> bool {
    let is_plain = |c: &u8| c.is_ascii_alphanumeric() || b"/._-+@".contains(c);
    path.as_os_str().as_bytes().iter().all(is_plain)
}

/// Makes a temporary folder with a path that Kbuild accepts, which is removed when the result
/// is dropped.
pub fn plain_temporary_folder(prefix: &str) -> Result<TempDir> {
    let chosen = [env::temp_dir(), "/tmp".into(), "/var/tmp".into()];
    let users = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let places = chosen.into_iter().chain(users);
    let mut plain = places
        .filter_map(|p| p.canonicalize().ok())
        .filter(|p| is_plain(p));
    let made = plain.find_map(|place| TempDir::with_prefix_in(prefix, place).ok());
    made.ok_or_else(|| {
        Error::new(
            Kind::System,
            "making a temporary folder",
            "none of TMPDIR, /tmp, /var/tmp and XDG_RUNTIME_DIR is a folder that make can work in",
        )
        .help(
            "set TMPDIR to a folder that you may write to, without blanks and the like in its path",
        )
    })
}

/// A folder in which make works for the sake of another one.
pub(crate) struct WorkFolder<'a> {
    /// The folder that the outputs are for.
    wanted: &'a Path,
    /// The folder in which make works instead, unless it works in `wanted`.
    temporary: Option<TempDir>,
}

impl<'a> WorkFolder<'a> {
    pub fn new(wanted: &'a Path) -> Result<WorkFolder<'a>> {
        let temporary = match is_plain(wanted) {
            true => None,
            false => Some(plain_temporary_folder("koru-make-")?),
        };
        Ok(WorkFolder { wanted, temporary })
    }

    /// Returns the path of the folder in which make works.
    pub fn path(&self) -> &Path {
        self.temporary.as_ref().map_or(self.wanted, TempDir::path)
    }

    /// Puts these outputs into the folder that they are for.
    pub fn deliver(&self, names: &[&str]) -> Result<()> {
        for name in names.iter().filter(|_| self.temporary.is_some()) {
            let made = self.path().join(name);
            let to = self.wanted.join(name);
            // The two may be in different file systems.
            fs::copy(&made, &to).path_context("writing", &to)?;
        }
        Ok(())
    }

    /// Returns the output of a tool, with the paths of the folder that the outputs are for.
    pub fn users_paths(&self, said: &str) -> String {
        said.replace(
            &*self.path().to_string_lossy(),
            &self.wanted.to_string_lossy(),
        )
    }
}

/// A call of make, which is a [`Command`].
pub(crate) struct Make {
    command: Command,
    /// The folder that stands for the tree's own parent folder, and that parent.
    view: Option<(TempDir, PathBuf)>,
}

impl Deref for Make {
    type Target = Command;

    fn deref(&self) -> &Command {
        &self.command
    }
}

impl DerefMut for Make {
    fn deref_mut(&mut self) -> &mut Command {
        &mut self.command
    }
}

impl Make {
    /// Returns the folder of links that stands for the one around the kernel tree, if there is
    /// one.
    pub fn view(&self) -> Option<&Path> {
        self.view.as_ref().map(|(view, _)| view.path())
    }

    /// Returns the output of make, with the paths of the kernel tree as the user knows them.
    pub fn users_paths(&self, said: &str) -> String {
        let Some((view, parent)) = &self.view else {
            return said.to_owned();
        };
        said.replace(&*view.path().to_string_lossy(), &parent.to_string_lossy())
    }
}

/// Returns the command `make -C build_dir M=dir`, quiet, and without what would need a full
/// tree. `dir` must be the path of a [`WorkFolder`] or of a [`plain_temporary_folder`].
pub(crate) fn kbuild_command(tree: &KernelTree, dir: &Path) -> Result<Make> {
    let view = match is_plain(&tree.build_dir) {
        true => None,
        false => Some(tree_view(&tree.build_dir)?),
    };
    let folder = match &view {
        Some((_, build_dir, _)) => build_dir,
        None => &tree.build_dir,
    };
    let mut make = quiet_make(tree, folder);
    make.arg(format!("M={}", dir.display()));
    Ok(Make {
        command: make,
        view: view.map(|(view, _, parent)| (view, parent)),
    })
}

/// Returns the command `make -C dir`, quiet, and without what the environment would set.
pub(crate) fn quiet_make(tree: &KernelTree, dir: &Path) -> Command {
    let mut make = Command::new("make");
    make.arg("-C")
        .arg(dir)
        .args(["-s", "--no-print-directory"])
        // BTF of modules needs the vmlinux of this kernel's build, and nothing here reads BTF.
        .arg("CONFIG_DEBUG_INFO_BTF_MODULES=")
        .env_remove("MAKEFLAGS")
        .env_remove("MFLAGS")
        .env_remove("KBUILD_OUTPUT")
        .env_remove("O")
        .env_remove("M")
        .env("LC_ALL", "C");
    // Since 7.0, Kbuild warns if pahole, which it does not run here, is not that of the kernel.
    if let Some(version) = tree.config.get("PAHOLE_VERSION") {
        make.arg(format!("PAHOLE_VERSION={version}"));
    }
    make
}

/// Returns the argument of make that a module needs so that the kernel can tell which of its code a
/// system call runs (KCOV).
pub(crate) fn coverage_argument(tree: &KernelTree) -> Option<&'static str> {
    tree.config.yes("KCOV").then_some("KCOV_INSTRUMENT=y")
}

/// Runs make to its end, in the sandbox if there is one, with the tools of the kernel's own
/// suite where this machine's do not build for the kernel.
pub(crate) fn run_make(
    make: &mut Command,
    tree: &KernelTree,
    sandbox: Option<Sandbox>,
    attempted: &str,
) -> Result<Output> {
    let output = match (sandbox, &tree.userland) {
        (None, None) => output(make, attempted),
        (None, Some(userland)) => {
            let mut inside = with_system(userland.root(), &USERLAND_KEEPS, &[], make, attempted)?;
            output(&mut inside, attempted)
        }
        (Some(sandbox), None) => sandbox.output(make, attempted),
        (Some(sandbox), Some(userland)) => sandbox.system(userland.root()).output(make, attempted),
    }?;
    if !output.status.success() && tree.userland.is_none() {
        let said = [&*output.stdout, &output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        if let Some(lacking) = Lacking::of(tree).filter(|lacking| lacking.explains(&said)) {
            return Err(missing(&lacking, tree, attempted).output(said));
        }
    }
    Ok(output)
}

/// Returns the error that this machine lacks something to build for a kernel.
fn missing(lacking: &Lacking, tree: &KernelTree, attempted: &str) -> Error {
    let message = format!("this machine cannot build for {}: {lacking}", tree.release);
    let package = lacking.package().filter(|_| lacking.is_compiler_only());
    let install = package.map(|name| format!("as root: apt-get install {name}, or "));
    Error::new(Kind::Missing, attempted, message).help(format!(
        "{}`koru kernel add {}`, which downloads what is missing from Debian's archive",
        install.unwrap_or_default(),
        tree.release
    ))
}

/// Makes a folder with a plain path that looks like the folder around a kernel tree. Returns
/// that folder, the path of the tree in it, and the folder that it looks like.
fn tree_view(build_dir: &Path) -> Result<(TempDir, PathBuf, PathBuf)> {
    let view = plain_temporary_folder("koru-tree-")?;
    let parent = build_dir.parent().unwrap_or(Path::new("/"));
    let name = build_dir.file_name().unwrap_or_default();
    let name = match is_plain(Path::new(name)) {
        true => PathBuf::from(name),
        false => PathBuf::from("tree"),
    };
    let build_dir_in_view = view.path().join(name);
    links_to_entries(build_dir, &build_dir_in_view)?;
    // A distribution's build directory includes the Makefile of a folder next to it.
    for entry in fs::read_dir(parent)
        .path_context("reading", parent)?
        .flatten()
    {
        let place = view.path().join(entry.file_name());
        let is_tree = entry.path().join("Makefile").is_file();
        if is_tree && is_plain(&place) && !place.exists() {
            links_to_entries(&entry.path(), &place)?;
        }
    }
    Ok((view, build_dir_in_view, parent.to_owned()))
}

/// Makes the folder `place` with a link to each entry of `folder`.
fn links_to_entries(folder: &Path, place: &Path) -> Result<()> {
    fs::create_dir(place).path_context("making", place)?;
    for entry in fs::read_dir(folder)
        .path_context("reading", folder)?
        .flatten()
    {
        let link = place.join(entry.file_name());
        symlink(entry.path(), &link).path_context("linking", &link)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn make_has_a_meaning_for_some_letters() {
        for plain in ["/usr/src/linux-6.1+deb12", "/home/a_b/x@y"] {
            assert!(is_plain(Path::new(plain)), "{plain}");
        }
        for odd in [
            "/a b", "/a:b", "/a#b", "/a$b", "/a%b", "/a'b", "/a\"b", "/ä", "/a\\b", "/a(b)",
            "/a;b", "/a&b", "/a=b", "/~a", "/a*", "/a\tb",
        ] {
            assert!(!is_plain(Path::new(odd)), "{odd}");
        }
    }

    #[test]
    fn outputs_reach_a_folder_of_any_name() {
        let dir = tempfile::tempdir().unwrap();
        for (name, elsewhere) in [("plain", false), ("o d$d", true)] {
            let wanted = dir.path().join(name);
            fs::create_dir(&wanted).unwrap();
            let work = WorkFolder::new(&wanted).unwrap();
            assert_eq!(work.path() != wanted, elsewhere);
            fs::write(work.path().join("x.ko"), name).unwrap();
            work.deliver(&["x.ko"]).unwrap();
            assert_eq!(fs::read_to_string(wanted.join("x.ko")).unwrap(), name);
            let said = format!("{}/x.c:1: error", work.path().display());
            let expected = format!("{}/x.c:1: error", wanted.display());
            assert_eq!(work.users_paths(&said), expected);
        }
    }

    #[test]
    fn view_has_the_tree_and_what_it_includes() {
        let dir = tempfile::tempdir().unwrap();
        let odd = dir.path().join("my kernels");
        for (file, text) in [
            ("linux-x/Makefile", "include ../linux-common/Makefile"),
            ("linux-x/.config", "CONFIG_X=y"),
            ("linux-common/Makefile", "all:"),
            ("other/readme", ""),
        ] {
            let path = odd.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let (view, build_dir, parent) = tree_view(&odd.join("linux-x")).unwrap();
        assert_eq!(parent, odd);
        // The real path is what make sees.
        assert!(is_plain(&build_dir.canonicalize().unwrap()));
        assert!(build_dir.join(".config").is_file());
        assert!(build_dir.join("../linux-common/Makefile").is_file());
        assert!(!view.path().join("other").exists());
    }
}
