// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the module to load: builds it, or takes a prebuilt file.

use std::path::PathBuf;

use koru_error::{Error, Kind, Result};
use koru_kbuild::Stages;
use koru_kernels::KernelTree;

use crate::{context::Context, guest, target::request::ModuleRequest};

/// A module to load, either built or a prebuilt file.
pub struct Loadable {
    pub name: String,
    pub path: PathBuf,
}

/// Builds the modules of a request, and returns how long that took. A prebuilt `.ko` is taken
/// as it is; `tree` is called only if something has to be built.
pub fn loadable_modules(
    context: &Context,
    tree: impl Fn() -> Result<KernelTree>,
    requests: &[ModuleRequest],
) -> Result<(Vec<Loadable>, Stages)> {
    let mut modules = Vec::new();
    let mut total = Stages::default();
    for request in requests {
        let (module, stages) = loadable(context, &tree, request.source.as_deref())?;
        modules.push(module);
        total.add(&stages);
    }
    Ok((modules, total))
}

fn loadable(
    context: &Context,
    tree: &impl Fn() -> Result<KernelTree>,
    module: Option<&str>,
) -> Result<(Loadable, Stages)> {
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
        let name = guest::ko_name(&path);
        return Ok((Loadable { name, path }, Stages::default()));
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
    let ko = kos.into_iter().next().ok_or_else(|| {
        Error::new(
            Kind::System,
            "building the module",
            "the build produced \
                                                 nothing",
        )
    })?;
    context.register_module(&ko.name, &ko.path);
    let module = Loadable {
        name: ko.name,
        path: ko.path,
    };
    Ok((module, stages))
}
