// SPDX-License-Identifier: MIT OR Apache-2.0

//! The programs of a kernel's own suite, for machines whose own do not build for that kernel.
//!
//! bubblewrap shows them to a command in the place of the machine's `/usr`, so no right is
//! needed, and nothing is installed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Cache, merged::MERGED};

/// The folder of the cache.
pub(crate) const FOLDER: &str = "userlands";

/// The file in a kernel's folder with the name of its userland.
pub(crate) const MARK: &str = "userland";

/// Folders of `/usr` that stay the machine's own.
pub(crate) const MACHINES: [&str; 2] = ["/usr/local", "/usr/src"];

const PATH: &str = "/usr/sbin:/usr/bin";

/// A folder with a suite's programs and libraries, in `usr`.
#[derive(Debug, Clone, PartialEq)]
pub struct Userland {
    root: PathBuf,
}

impl Userland {
    /// Returns the folder with the `usr` that takes the place of the machine's.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the path of a program, which is one only in the userland.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let path = self.root.join("usr/bin").join(name);
        // Links are absolute in the userland.
        path.symlink_metadata().is_ok().then_some(path)
    }

    /// Returns the command that runs another one in the userland, with everything else as it is.
    pub fn command(&self, command: &Command) -> Command {
        let usr = self.root.join("usr");
        let mut inside = Command::new("bwrap");
        inside.args(["--die-with-parent", "--dev-bind", "/", "/", "--ro-bind"]);
        inside.arg(&usr).arg("/usr");
        for folder in MACHINES {
            inside.args(["--dev-bind-try", folder, folder]);
        }
        for name in MERGED {
            let at = Path::new("/").join(name);
            if at.is_dir() && !at.is_symlink() {
                inside.arg("--ro-bind").arg(usr.join(name)).arg(at);
            }
        }
        inside
            .arg("--")
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        if let Some(dir) = command.get_current_dir() {
            inside.current_dir(dir);
        }
        inside.env("PATH", PATH);
        inside
    }

    /// Returns the userland that was chosen for the kernel in this folder of the cache.
    pub(crate) fn chosen(cache: &Cache, kernel: &Path) -> Option<Userland> {
        let name = fs::read_to_string(kernel.join(MARK)).ok()?;
        let root = cache.root().join(FOLDER).join(name.trim());
        root.is_dir().then_some(Userland { root })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_userland_is_that_of_the_mark() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path());
        let kernel = dir.path().join("kernels/1.2.3");
        fs::create_dir_all(&kernel).unwrap();
        assert_eq!(Userland::chosen(&cache, &kernel), None);
        fs::write(kernel.join(MARK), "some\n").unwrap();
        // It was removed.
        assert_eq!(Userland::chosen(&cache, &kernel), None);
        let root = dir.path().join("userlands/some");
        fs::create_dir_all(&root).unwrap();
        assert_eq!(Userland::chosen(&cache, &kernel), Some(Userland { root }));
    }

    #[test]
    fn command_keeps_its_folder_and_variables() {
        let userland = Userland { root: "/u".into() };
        let mut make = Command::new("make");
        make.arg("x")
            .current_dir("/tmp")
            .env("A", "b")
            .env_remove("C");
        let inside = userland.command(&make);
        assert_eq!(inside.get_current_dir(), Some(Path::new("/tmp")));
        let arguments: Vec<_> = inside.get_args().collect();
        assert!(arguments.ends_with(&["--".as_ref(), "make".as_ref(), "x".as_ref()]));
        let envs: Vec<_> = inside.get_envs().collect();
        assert!(envs.contains(&("A".as_ref(), Some("b".as_ref()))));
        assert!(envs.contains(&("C".as_ref(), None)));
    }
}
