// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the imports of a crate's files, and the circles in them.
//!
//! A file imports another one when it names something of that file: in a `use` item or by a path
//! that begins with `crate`, `super`, `self` or a module of the file's own. A name that a module
//! only re-exports (`pub use`) belongs to the file that defines the name, and re-exporting is no
//! import, unless the file uses the name itself. Unit tests do not count.

mod circle;
mod file;
mod resolve;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use walkdir::WalkDir;

pub use circle::{Graph, circles};
use file::{File, ModulePath};

/// Returns which module of a crate imports which, from the files in its `src` folder.
pub fn imports(src: &Path) -> io::Result<Graph<String>> {
    let mut modules = BTreeMap::new();
    for path in source_files(src)? {
        let name = module_path(path.strip_prefix(src).unwrap_or(&path));
        let text = fs::read_to_string(&path)?;
        let file =
            File::parse(&text).map_err(|e| io::Error::other(format!("{}: {e}", path.display())))?;
        modules.insert(name, file);
    }
    let show = |module: &ModulePath| match module.is_empty() {
        true => "(root)".to_owned(),
        false => module.join("::"),
    };
    let mut graph = Graph::new();
    for module in modules.keys() {
        let imported = resolve::imported(&modules, module);
        let others: BTreeSet<String> = imported.iter().map(&show).collect();
        graph.insert(show(module), others);
    }
    Ok(graph)
}

/// Returns the module of a file: `a/mod.rs` and `a.rs` are `a`, `lib.rs` is the root.
fn module_path(relative: &Path) -> ModulePath {
    let stem = relative.with_extension("");
    let mut path: ModulePath = stem
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    let is_root = path.len() == 1 && ["lib", "main"].contains(&&*path[0]);
    if is_root || path.last().is_some_and(|last| last == "mod") {
        path.pop();
    }
    path
}

fn source_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder) {
        let path = entry?.into_path();
        if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}
