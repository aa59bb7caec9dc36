// SPDX-License-Identifier: MIT OR Apache-2.0

//! Where the debug info of modules may be.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

/// Where debug info is, besides the workspaces' build output.
#[derive(Clone, Default)]
pub struct DebugInfoIndex {
    /// Modules by name, and their `.ko` files.
    pub kos: Vec<(String, PathBuf)>,
    /// Files with debug info, as the user named them.
    pub debug: Vec<PathBuf>,
    /// Folders that were built in under another name: that name, and the real one.
    pub moved: Vec<(PathBuf, PathBuf)>,
    /// The build-ids of loaded modules, by name.
    pub loaded: HashMap<String, String>,
}

/// Files that may have a module's debug info, the best first.
pub fn debug_info_files(
    index: &DebugInfoIndex,
    here: &Path,
    outputs: &[PathBuf],
    module: &str,
    release: Option<&str>,
) -> Vec<PathBuf> {
    let mut found = index.debug.clone();
    found.retain(|file| is_named(file, module));
    let kos = index.kos.iter().filter(|(name, _)| name == module);
    for (_, ko) in kos {
        found.extend(with_debug(ko));
    }
    for output in outputs {
        let mut kernels: Vec<PathBuf> = match release {
            Some(release) => vec![output.join(release)],
            None => fs::read_dir(output)
                .into_iter()
                .flatten()
                .flatten()
                .map(|e| e.path())
                .collect(),
        };
        kernels.sort();
        for dir in kernels {
            found.extend(with_debug(&dir.join(format!("{module}.ko"))));
        }
    }
    // A module in C, built where the user is.
    found.extend(with_debug(&here.join(format!("{module}.ko"))));
    found.retain(|file| file.is_file());
    found
}

/// `NAME.ko.debug` beside it, and itself.
fn with_debug(ko: &Path) -> [PathBuf; 2] {
    let mut debug = ko.as_os_str().to_owned();
    debug.push(".debug");
    [debug.into(), ko.to_owned()]
}

fn is_named(file: &Path, module: &str) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = name.split('.').next().unwrap_or_default();
    name.replace('-', "_") == module
}
