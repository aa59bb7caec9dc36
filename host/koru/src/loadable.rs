// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the module to load: builds it, or takes a prebuilt file.

use std::path::PathBuf;

use koru_error::{Error, Kind, Result};
use koru_kbuild::Stages;
use koru_kernels::KernelTree;

use crate::{context::Context, guest};

/// A module to load, either built or a prebuilt file.
pub struct Loadable {
    pub name: String,
    pub path: PathBuf,
    pub stages: Stages,
}

/// Builds the module that the user named; a prebuilt `.ko` is taken as it is.
pub fn loadable(context: &Context, tree: &KernelTree, module: Option<&str>) -> Result<Loadable> {
    loadable_for(context, || Ok(tree.clone()), module)
}

/// Builds the module that the user named like [`loadable`], and calls `tree` only if something
/// has to be built.
pub fn loadable_for(
    context: &Context,
    tree: impl FnOnce() -> Result<KernelTree>,
    module: Option<&str>,
) -> Result<Loadable> {
    if let Some(file) = module.filter(|m| m.ends_with(".ko")) {
        let path = context.cwd.join(file);
        if !path.is_file() {
            return Err(Error::new(
                Kind::Usage,
                format!("loading {}", path.display()),
                "there is no such file",
            ));
        }
        context.register_module(&guest::ko_name(&path), &path);
        return Ok(Loadable {
            name: guest::ko_name(&path),
            path,
            stages: Stages::default(),
        });
    }
    let names: Vec<String> = module.iter().map(|m| m.to_string()).collect();
    let modules = context.modules(&names)?;
    if modules.len() > 1 {
        let names: Vec<&str> = modules.iter().map(|m| m.name.as_str()).collect();
        return Err(
            Error::new(Kind::Usage, "choosing a module", "several modules are here")
                .help(format!("name one of them: {}", names.join(", "))),
        );
    }
    let (kos, stages) = context.build(&tree()?, &modules)?;
    let ko = kos
        .into_iter()
        .next()
        .ok_or_else(|| Error::new(Kind::System, "building the module", "nothing was built"))?;
    context.register_module(&ko.name, &ko.path);
    Ok(Loadable {
        name: ko.name,
        path: ko.path,
        stages,
    })
}
