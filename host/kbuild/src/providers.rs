// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the folders whose modules have the symbols that another folder's module needs.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use koru_kernels::Cache;

use crate::{
    build_state::State,
    makefile::{has_kbuild, is_for_kbuild, kbuild_text},
    work_copy::home_of,
};

/// How many files are read at most, and how large they may be: what is larger is no source of a
/// module.
const MAX_FILES: usize = 5000;
const MAX_SIZE: u64 = 1 << 20;

/// Returns the folders for Kbuild that export one of `symbols` to other modules. They are looked
/// for in the repository of the folder `source`, or beside it if it is in none.
pub(crate) fn folders_with(symbols: &[String], source: &Path, repository: &Path) -> Vec<PathBuf> {
    let mut roots = vec![repository.to_owned()];
    if repository == source {
        let entries = source.parent().map(fs::read_dir).into_iter().flatten();
        let beside = entries.flatten().flatten().map(|entry| entry.path());
        roots = beside.filter(|dir| is_module_folder(dir)).collect();
    }
    let mut found = Vec::new();
    let mut left = MAX_FILES;
    for root in &roots {
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
                match entry.file_type() {
                    Ok(t) if t.is_dir() && !is_hidden => folders.push(path),
                    Ok(t) if t.is_file() && left > 0 => {
                        let is_c = path.extension().is_some_and(|e| e == "c");
                        if !is_c || entry.metadata().is_ok_and(|m| m.len() > MAX_SIZE) {
                            continue;
                        }
                        left -= 1;
                        let text = fs::read(&path).unwrap_or_default();
                        let text = String::from_utf8_lossy(&text);
                        if exported(&text).any(|name| symbols.iter().any(|s| s == name)) {
                            found.extend(folder_of(&path, root));
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    found.retain(|folder| folder != source);
    found.sort();
    found.dedup();
    found
}

/// Returns the names that a file in C exports.
fn exported(text: &str) -> impl Iterator<Item = &str> {
    let uses = text.split("EXPORT_SYMBOL").skip(1);
    uses.filter_map(|rest| {
        let (_, arguments) = rest.split_once('(')?;
        let name = arguments.split([',', ')']).next()?.trim();
        (!name.is_empty()).then_some(name)
    })
}

/// Returns the folder whose Kbuild or Makefile compiles a file: the nearest one that has any.
fn folder_of(file: &Path, root: &Path) -> Option<PathBuf> {
    let above = file.ancestors().skip(1);
    let mut above = above.take_while(|dir| dir.starts_with(root));
    above.find(|dir| is_module_folder(dir)).map(Path::to_owned)
}

fn is_module_folder(dir: &Path) -> bool {
    has_kbuild(dir) && is_for_kbuild(&kbuild_text(dir))
}

/// Adds the modules to `found` that the last build of these sources needed, of other folders.
pub fn add_provided(
    cache: &Cache,
    source: &Path,
    file: Option<&OsStr>,
    release: &str,
    found: &mut Vec<PathBuf>,
) {
    for folder in State::read(&home_of(cache, source, file).join(release)).providers {
        let home = home_of(cache, &folder, None).join(release);
        let kos = State::read(&home).kos.into_iter().map(|ko| home.join(ko));
        let new: Vec<PathBuf> = kos.filter(|ko| !found.contains(ko)).collect();
        if !new.is_empty() {
            found.extend(new);
            add_provided(cache, &folder, None, release, found);
        }
    }
}

/// Adds the folders whose modules the builds of these sources need, whatever the kernel.
pub fn add_folders(cache: &Cache, source: &Path, file: Option<&OsStr>, found: &mut Vec<PathBuf>) {
    let kernels = fs::read_dir(home_of(cache, source, file)).into_iter();
    for kernel in kernels.flatten().flatten() {
        for folder in State::read(&kernel.path()).providers {
            if folder != source && !found.contains(&folder) {
                found.push(folder.clone());
                add_folders(cache, &folder, None, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_of_all_kinds_are_found() {
        let text = "EXPORT_SYMBOL(a);\nEXPORT_SYMBOL_GPL( b );\nEXPORT_SYMBOL_NS_GPL(c, \"N\");\n\
                    /* EXPORT_SYMBOL */";
        assert_eq!(exported(text).collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn folder_of_a_symbol_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("base/Kbuild", "obj-m := base.o\nbase-y := src/a.o\n");
        write("base/src/a.c", "EXPORT_SYMBOL_GPL(one);\n");
        write("other/Makefile", "obj-m := other.o\n");
        write("other/other.c", "EXPORT_SYMBOL(two);\n");
        write("program/Makefile", "all:\n\tcc program.c\n");
        write("program/program.c", "EXPORT_SYMBOL(three);\n");
        write("top/Kbuild", "obj-m := top.o\n");
        write("top/top.c", "EXPORT_SYMBOL(four);\n");
        let top = dir.path().join("top");
        let find = |symbols: &[&str], repository: &Path| {
            let symbols: Vec<String> = symbols.iter().map(|&s| s.into()).collect();
            folders_with(&symbols, &top, repository)
        };
        let folder = |name: &str| dir.path().join(name);
        // The folder is in a repository, and in none.
        for repository in [dir.path(), &top] {
            assert_eq!(find(&["one"], repository), [folder("base")]);
            let both = find(&["one", "two", "three", "four", "five"], repository);
            assert_eq!(both, [folder("base"), folder("other")]);
        }
    }
}
