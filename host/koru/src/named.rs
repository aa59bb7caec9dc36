// SPDX-License-Identifier: MIT OR Apache-2.0

//! The modules that the user named.

use std::path::{Path, PathBuf};

use koru_error::{Error, Kind, Result};
use koru_kbuild::Source;
use koru_kernels::KernelTree;

use crate::{cli::KernelChoice, context::Context};

/// What the user named, and the modules' source.
pub struct Named {
    pub name: Option<String>,
    pub source: Source,
    /// Whether the user named it, so that it is checked on every kernel.
    pub is_by_name: bool,
}

impl Named {
    /// Returns the name of the module, or that of the folder if only a build tells it.
    pub fn title(&self, here: &Path) -> String {
        let folder = || here.file_name().unwrap_or_default().to_string_lossy();
        let name = || self.name.clone().unwrap_or_else(|| folder().into_owned());
        let title = self.source.name().unwrap_or_else(name);
        title.trim_end_matches('/').to_owned()
    }

    /// Returns why the module does not support a kernel, if its Cargo.toml says so.
    pub fn refusal(&self, tree: &KernelTree) -> Option<String> {
        match &self.source {
            Source::Crate(module) => module.refusal(&tree.release),
            _ => None,
        }
    }

    /// Returns the folder that has the tests.
    pub fn folder(&self, here: &Path) -> PathBuf {
        if let Source::Crate(module) = &self.source {
            return module.dir.clone();
        }
        let path = self.name.as_ref().map_or(here.into(), |n| here.join(n));
        match path.is_dir() {
            true => path,
            false => path.parent().unwrap_or(here).to_owned(),
        }
    }
}

/// Returns what each of the user's words refers to, or what is in the current folder.
pub fn named_sources(context: &Context, names: &[String]) -> Result<Vec<Named>> {
    let of = |name: Option<&String>| -> Result<Vec<Named>> {
        let words = name.map_or(&[][..], std::slice::from_ref);
        let found = context.sources(words)?.into_iter();
        let named = found.map(|source| Named {
            // One folder with several crates is a list of their names.
            name: match (&source, name) {
                (Source::Crate(module), None) => Some(module.name.clone()),
                _ => name.cloned(),
            },
            source,
            is_by_name: name.is_some(),
        });
        Ok(named.collect())
    };
    if names.is_empty() {
        return of(None);
    }
    let all: Result<Vec<_>> = names.iter().map(|name| of(Some(name))).collect();
    Ok(all?.into_iter().flatten().collect())
}

/// Returns the one module that the user named, or that is in the current folder.
pub fn named_module(context: &Context, name: Option<&String>, command: &str) -> Result<Named> {
    let names: Vec<String> = name.into_iter().cloned().collect();
    let mut sources = named_sources(context, &names)?;
    match sources.len() {
        1 => Ok(sources.remove(0)),
        number => {
            let message = format!("there are {number} modules here");
            Err(Error::new(Kind::Usage, "choosing a module", message)
                .help(format!("name one: `koru {command} MODULE`")))
        }
    }
}

/// Returns the chosen kernel, which must be one of `koru kernel list`.
pub fn listed_tree(context: &Context, kernel: &KernelChoice) -> Result<KernelTree> {
    let tree = context.tree(kernel)?;
    if context.kernels.exactly(&tree.release).is_some() {
        return Ok(tree);
    }
    let message = format!("{} is not in `koru kernel list`", tree.release);
    Err(
        Error::new(Kind::Usage, "choosing a kernel", message).help(format!(
            "`koru kernel add {}` adds it",
            tree.build_dir.display()
        )),
    )
}
