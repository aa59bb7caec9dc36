// SPDX-License-Identifier: MIT OR Apache-2.0

//! Resolves the paths in a file to the modules that they refer to.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{File, ModulePath};

/// The largest number of modules through which a name may be re-exported.
const MAX_STEPS: usize = 8;

type Modules = BTreeMap<ModulePath, File>;

/// Returns the modules that a module imports.
pub fn imported(modules: &Modules, module: &ModulePath) -> BTreeSet<ModulePath> {
    let paths = modules[module].paths.iter();
    let absolute = paths.filter_map(|path| absolute(modules, module, path));
    let owners = absolute.filter_map(|path| owner(modules, &path, 0));
    owners.filter(|owner| owner != module).collect()
}

/// Returns the path from the crate's root, if the path is one of this crate.
fn absolute(modules: &Modules, module: &ModulePath, path: &[String]) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    match &**first {
        "crate" | "$crate" => Some(rest.to_vec()),
        "self" => Some([module, rest].concat()),
        "super" => {
            let parent = module.split_last()?.1.to_vec();
            match rest.first().map(String::as_str) {
                Some("super") => absolute(modules, &parent, rest),
                _ => Some([&parent, rest].concat()),
            }
        }
        first => {
            let child = [module, &[first.to_owned()][..]].concat();
            modules
                .contains_key(&child)
                .then(|| [&child, rest].concat())
        }
    }
}

/// Returns the module that a path from the root refers to, which is the one that defines the name.
fn owner(modules: &Modules, path: &[String], steps: usize) -> Option<ModulePath> {
    let inside = (0..=path.len())
        .rev()
        .find(|n| modules.contains_key(&path[..*n]))?;
    let (module, rest) = path.split_at(inside);
    let module = module.to_vec();
    let Some(name) = rest.first() else {
        return Some(module);
    };
    let file = &modules[&module];
    if file.defines.contains(name) || steps == MAX_STEPS {
        return Some(module);
    }
    // The module re-exports a name of this crate or of another one.
    if let Some(origin) = file.uses.get(name) {
        let origin = absolute(modules, &module, origin)?;
        return owner(modules, &[&origin, &rest[1..]].concat(), steps + 1);
    }
    let globs = file
        .globs
        .iter()
        .filter_map(|glob| absolute(modules, &module, glob));
    let mut found = globs.filter_map(|glob| {
        let path = [&glob, rest].concat();
        let owner = owner(modules, &path, steps + 1)?;
        modules[&owner].defines.contains(name).then_some(owner)
    });
    found
        .next()
        .or_else(|| (!module.is_empty()).then_some(module.clone()))
}
