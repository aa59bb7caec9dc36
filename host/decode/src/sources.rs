// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds source files: how to show their names, which are the module's own, and their lines.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folders that may contain sources.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The user's folder. Files below it are shown relative to it.
    pub here: PathBuf,
    /// The checkout of Koru.
    pub root: PathBuf,
    /// Folders whose builds used another name: that name, and the real one.
    pub moved: Vec<(PathBuf, PathBuf)>,
}

/// A source file.
pub(crate) struct Source {
    pub shown: String,
    path: PathBuf,
    /// Whether the file is the module's own, and not the kernel's, Rust's, a crate's or
    /// Koru's.
    pub own: bool,
}

impl Sources {
    /// Returns the path and the shown name of the file that the compiler called `file`, if it is
    /// one of the module's own, or, if Koru's are wanted as well, of the kernel crate.
    pub fn own_file(&self, file: &str, with_kernel_crate: bool) -> Option<(PathBuf, String)> {
        let source = self.find(file);
        let of_kernel_crate = source.path.starts_with(self.root.join("kernel/kernel/src"));
        let wanted = source.own || (with_kernel_crate && of_kernel_crate);
        wanted.then_some((source.path, source.shown))
    }

    /// Returns the file that the compiler called `file`.
    pub(crate) fn find(&self, file: &str) -> Source {
        let named = Path::new(file);
        let moved = self
            .moved
            .iter()
            .find_map(|(from, to)| Some(to.join(named.strip_prefix(from).ok()?)));
        let mut path = moved.unwrap_or_else(|| named.to_owned());
        // The C side of a module is compiled in the kernel's folder.
        let ours = ["/kernel/shim/", "/kernel/kernel/src/"]
            .iter()
            .find_map(|part| {
                let path = self.root.join(&file[file.rfind(part)? + 1..]);
                path.is_file().then_some(path)
            });
        if let Some(ours) = ours {
            path = ours;
        } else if path.is_relative() {
            let folders = [&self.here, &self.root];
            let found = folders.iter().map(|f| f.join(&path)).find(|p| p.is_file());
            path = found.unwrap_or(path);
        }
        let foreign = path.starts_with(self.root.join("kernel"));
        Source {
            shown: self.shown(&path),
            own: !foreign && foreign_name(file).is_none(),
            path,
        }
    }

    fn shown(&self, path: &Path) -> String {
        if let Ok(below) = path.strip_prefix(&self.here) {
            return below.display().to_string();
        }
        if path.starts_with(self.root.join("kernel")) {
            let below = path.strip_prefix(&self.root).unwrap_or(path);
            return below.display().to_string();
        }
        let text = path.display().to_string();
        foreign_name(&text).map_or(text.clone(), str::to_owned)
    }
}

impl Source {
    /// Returns a line, counted from 1.
    pub(crate) fn line(&self, number: u32) -> Option<String> {
        let text = fs::read_to_string(&self.path).ok()?;
        let line = text.lines().nth(number.checked_sub(1)? as usize)?;
        // No text of a file may control a terminal.
        let shown = line.trim_end().chars().map(|c| match c {
            '\t' => '\t',
            c if c.is_control() => '?',
            c => c,
        });
        Some(shown.collect())
    }
}

/// Returns the end of the path of a file that is not the module's, which is enough to
/// recognise the file.
fn foreign_name(path: &str) -> Option<&str> {
    for (mark, skipped) in [
        // These are Rust's own library, crates, and headers of the kernel.
        ("/library/core/", 1),
        ("/library/alloc/", 1),
        ("/registry/src/", 0),
        ("/linux-headers-", 0),
        ("/linux-source-", 0),
        ("/include/linux/", 1),
        ("/include/asm-generic/", 1),
        ("/arch/x86/include/", 1),
    ] {
        if let Some(at) = path.find(mark) {
            let rest = &path[at + mark.len()..];
            return Some(match skipped {
                1 => &path[at + 1..],
                // The rest of the folder's name is skipped.
                _ => rest.split_once('/').map_or(rest, |(_, rest)| rest),
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_others() {
        let sources = Sources {
            here: "/home/me/lab".into(),
            root: "/opt/koru".into(),
            ..Sources::default()
        };
        for (file, shown, own) in [
            ("/home/me/lab/src/lib.rs", "src/lib.rs", true),
            ("/home/me/other/a.c", "/home/me/other/a.c", true),
            (
                "/opt/koru/kernel/kernel/src/print.rs",
                "kernel/kernel/src/print.rs",
                false,
            ),
            (
                "/opt/koru/modules/hello/src/lib.rs",
                "/opt/koru/modules/hello/src/lib.rs",
                true,
            ),
            (
                "/usr/lib/rustlib/src/rust/library/core/src/panicking.rs",
                "library/core/src/panicking.rs",
                false,
            ),
            (
                "/home/me/.cargo/registry/src/index.crates.io-1/heapless-0.9.1/src/lib.rs",
                "heapless-0.9.1/src/lib.rs",
                false,
            ),
            (
                "/usr/src/linux-headers-6.1.0-56-common/include/linux/uaccess.h",
                "include/linux/uaccess.h",
                false,
            ),
            (
                "/home/me/linux/include/linux/uaccess.h",
                "include/linux/uaccess.h",
                false,
            ),
        ] {
            let source = sources.find(file);
            assert_eq!((source.shown.as_str(), source.own), (shown, own), "{file}");
        }
    }

    #[test]
    fn a_copy_is_shown_as_what_it_is_of() {
        let sources = Sources {
            here: "/home/me".into(),
            moved: vec![("/tmp/koru-verify-1".into(), "lab2".into())],
            ..Sources::default()
        };
        assert_eq!(sources.find("/tmp/koru-verify-1/a/x.c").shown, "lab2/a/x.c");
    }
}
