// SPDX-License-Identifier: MIT OR Apache-2.0

//! Removes from a kernel's build what neither builds of modules nor guests need.

use std::{fs, path::Path};

use koru_error::{IoContext, Result};

/// Folders of the sources that contain nothing that the build of a module reads.
const UNUSED: [&str; 6] = [
    "Documentation",
    "drivers",
    "LICENSES",
    "rust",
    "samples",
    "sound",
];

/// The only architecture that is kept.
const ARCHITECTURE: &str = "x86";

/// Results of the build that only the link of the kernel needs.
const INTERMEDIATE: [&str; 5] = ["a", "cmd", "d", "mod", "o"];

/// Removes what is not needed, about nine tenths of all.
pub fn prune(build: &Path) -> Result<()> {
    for name in UNUSED {
        remove(&build.join(name))?;
    }
    for entry in entries(&build.join("arch"))? {
        if entry.file_name() != ARCHITECTURE && entry.path().is_dir() {
            remove(&entry.path())?;
        }
    }
    for entry in entries(&build.join("tools"))? {
        // Checks each object of a module.
        if entry.file_name() != "objtool" {
            remove(&entry.path())?;
        }
    }
    remove_intermediate(build)
}

fn remove_intermediate(folder: &Path) -> Result<()> {
    for entry in entries(folder)? {
        let path = entry.path();
        let kind = entry.file_type().path_context("looking at", &path)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_intermediate = path
            .extension()
            .is_some_and(|end| INTERMEDIATE.iter().any(|e| end == *e));
        if kind.is_dir() && name != "scripts" {
            remove_intermediate(&path)?;
        } else if kind.is_file() && (is_intermediate || name.starts_with(".tmp_")) {
            fs::remove_file(&path).path_context("removing", &path)?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>> {
    let entries = fs::read_dir(folder).path_context("reading", folder)?;
    entries
        .collect::<std::io::Result<Vec<_>>>()
        .path_context("reading", folder)
}

/// Removes a folder or a file, if it exists.
fn remove(path: &Path) -> Result<()> {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e).path_context("removing", path),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_builds_need_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let kept = [
            "Makefile",
            "Module.symvers",
            "arch/x86/Makefile",
            "arch/Kconfig",
            "include/linux/fs.h",
            "kernel/fork.c",
            "scripts/mod/modpost.o",
            "tools/objtool/objtool",
            "vmlinux",
        ];
        let removed = [
            ".tmp_vmlinux.kallsyms1",
            "Documentation/index.rst",
            "arch/arm/Makefile",
            "drivers/misc/x.c",
            "kernel/.fork.o.cmd",
            "kernel/fork.o",
            "tools/objtool/objtool-in.o",
            "tools/perf/perf.c",
            "vmlinux.a",
        ];
        for file in kept.iter().chain(&removed) {
            let file = dir.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        prune(dir.path()).unwrap();
        let exists = |file: &&&str| dir.path().join(file).exists();
        assert_eq!(kept.iter().filter(exists).count(), kept.len());
        assert_eq!(removed.iter().find(exists), None);
    }
}
