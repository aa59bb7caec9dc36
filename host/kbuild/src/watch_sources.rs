// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the folders that a module is built from.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
};

use koru_error::Result;
use koru_kernels::Home;

use crate::{Module, cargo_run::metadata_command, module::metadata, patch_options};

/// Returns the folders of a module's package and of everything that it uses by path, including
/// the kernel crate and its C interface layer.
pub fn watch_sources(home: &Home, module: &Module) -> Result<Vec<PathBuf>> {
    let manifest = module.dir.join("Cargo.toml");
    let options = match module.workspace == home.root {
        true => Vec::new(),
        false => patch_options(home),
    };
    let metadata = metadata(
        metadata_command(&manifest).other_options(options),
        &manifest,
    )?;
    let nodes = metadata.resolve.iter().flat_map(|r| &r.nodes);
    let uses: HashMap<_, _> = nodes.map(|n| (&n.id, &n.dependencies)).collect();
    let mut wanted: Vec<_> = metadata
        .packages
        .iter()
        .filter(|p| p.manifest_path == manifest)
        .map(|p| &p.id)
        .collect();
    let mut met = BTreeSet::new();
    while let Some(id) = wanted.pop() {
        if met.insert(id) {
            wanted.extend(uses.get(id).into_iter().flat_map(|d| d.iter()));
        }
    }
    let mut folders: Vec<PathBuf> = metadata
        .packages
        .iter()
        .filter(|p| p.source.is_none() && met.contains(&p.id))
        .filter_map(|p| Some(p.manifest_path.parent()?.to_path_buf().into()))
        .collect();
    folders.push(home.root.join("kernel/shim"));
    // A folder inside another one is not listed.
    folders.sort();
    folders.dedup_by(|inner, outer| inner.starts_with(&*outer));
    Ok(folders)
}
