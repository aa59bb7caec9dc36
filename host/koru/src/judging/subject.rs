// SPDX-License-Identifier: MIT OR Apache-2.0

//! The module that is judged.

use std::path::Path;

use koru_error::{Error, Kind, Result};
use koru_kbuild::is_prebuilt;
use koru_kernels::KernelTree;

use super::built::{read_info, tree_of_built};
use crate::{
    cli::KernelChoice,
    context::Context,
    loadable::{Helpers, Loadable, loadable_after},
    target::request::ModuleRequest,
};

/// A module that has been built, with those that it needs.
pub struct Subject {
    /// What the user called it.
    pub shown: String,
    pub tree: KernelTree,
    /// The helpers of the contract, the modules that it needs, and itself at the end.
    pub modules: Vec<Loadable>,
    /// The number of the modules that belong to helpers.
    helpers: usize,
}

impl Subject {
    /// Builds the module of a folder or a file, which may use what the helpers export. `wanted` is
    /// the name that it has to have.
    pub fn build(
        context: &Context,
        tree: &KernelTree,
        source: &Path,
        wanted: Option<&str>,
        helpers: &Helpers,
    ) -> Result<Subject> {
        let path = context.cwd.join(source);
        if !path.exists() {
            let attempted = format!("looking for the module {}", source.display());
            return Err(Error::new(
                Kind::Usage,
                attempted,
                "there is no such file or folder",
            ));
        }
        let request = |module: Option<&str>| ModuleRequest {
            source: Some(path.display().to_string()),
            module: module.map(str::to_owned),
            params: Vec::new(),
        };
        let build = |request| {
            let tree = || Ok(tree.clone());
            loadable_after(context, tree, &[request], helpers).map(|(modules, _)| modules)
        };
        // A folder may have several modules; the name of a single one is judged elsewhere.
        let modules = match build(request(None)) {
            Err(e) if e.kind == Kind::Usage && wanted.is_some() => build(request(wanted))?,
            built => built?,
        };
        Ok(Subject {
            shown: source.display().to_string(),
            tree: tree.clone(),
            helpers: helpers.modules.len().min(modules.len() - 1),
            modules,
        })
    }

    /// Returns the modules of the contract's helpers, with what these need.
    pub fn helpers(&self) -> &[Loadable] {
        &self.modules[..self.helpers]
    }

    /// Returns the module under test.
    pub fn module(&self) -> &Loadable {
        // `loadable_modules` returns those that are needed first.
        &self.modules[self.modules.len() - 1]
    }
}

/// Returns the kernel to judge a module on.
pub fn tree(context: &Context, choice: &KernelChoice, source: &Path) -> Result<KernelTree> {
    let choice = choice.or_environment();
    let path = context.cwd.join(source);
    if is_prebuilt(&path.to_string_lossy()) && path.is_file() {
        let shown = source.display().to_string();
        return tree_of_built(context, &choice, &shown, &read_info(&path)?);
    }
    context.tree(&choice)
}
