// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the debug info of modules.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

/// The places that may have debug info, in addition to the workspaces' build output.
#[derive(Clone, Default)]
pub struct DebugInfoIndex {
    /// The names of modules and their `.ko` files.
    pub kos: Vec<(String, PathBuf)>,
    /// The files with debug info that the user named.
    pub debug: Vec<PathBuf>,
    /// Folders whose builds used another name: that name, and the real one.
    pub moved: Vec<(PathBuf, PathBuf)>,
    /// The build-ids of the loaded modules, by module name.
    pub loaded: HashMap<String, String>,
}

/// Returns files that may contain a module's debug info, the best first.
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
    // A module in C may have been built in the user's folder.
    found.extend(with_debug(&here.join(format!("{module}.ko"))));
    found.retain(|file| file.is_file());
    found
}

/// Returns the `NAME.ko.debug` next to a `.ko`, and the `.ko` itself.
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
