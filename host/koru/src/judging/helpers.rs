// SPDX-License-Identifier: MIT OR Apache-2.0

//! The modules of a contract that are loaded before the one that is judged.

use std::path::{Path, PathBuf};

use koru_error::{Error, Kind, Result};
use koru_judge::Contract;
use koru_kbuild::{Ko, Source};
use koru_kernels::KernelTree;

use crate::{
    context::Context,
    loadable::{Helpers, all_in_order},
};

/// Builds the helpers of a contract.
///
/// # Errors
///
/// Whatever is wrong with a helper is a mistake of the contract, and not of the module.
pub fn build(context: &Context, tree: &KernelTree, contract: &Contract) -> Result<Helpers> {
    let mut helpers = Helpers::default();
    for shown in &contract.helpers {
        one(context, tree, shown, &mut helpers).map_err(|mut e| {
            e.context = format!(
                "building the helper {} of the contract {}",
                shown.display(),
                contract.name
            );
            // The same kinds mean elsewhere that the module under test does not build.
            if matches!(e.kind, Kind::Link | Kind::Compile) {
                e.kind = Kind::Usage;
            }
            e
        })?;
    }
    Ok(helpers)
}

fn one(context: &Context, tree: &KernelTree, shown: &Path, helpers: &mut Helpers) -> Result<()> {
    let path = context.cwd.join(shown);
    let mut sources = context.sources(&[path.display().to_string()])?;
    for source in &mut sources {
        source.see_symbols(&helpers.symbols);
    }
    let (kos, _) = context.build_sources(|| Ok(tree.clone()), &sources)?;
    for source in &sources {
        helpers.symbols.extend(symbols(context, tree, source)?);
    }
    check_release(tree, &kos)?;
    let found = all_in_order(context, tree, &sources, &kos, &helpers.modules)?;
    let is_new = |name: &str| helpers.modules.iter().all(|m| m.name != name);
    let new: Vec<_> = found.into_iter().filter(|m| is_new(&m.name)).collect();
    for mut module in new {
        context.register_module(&module.name, &module.path);
        module.is_dependency = true;
        helpers.modules.push(module);
    }
    Ok(())
}

/// Returns the list of the symbols that the helper's modules have for others, if there is one.
fn symbols(context: &Context, tree: &KernelTree, source: &Source) -> Result<Option<PathBuf>> {
    let list = match source {
        Source::Kbuild(source) => source.symvers(&context.cache, &tree.release)?,
        Source::Prebuilt(ko) => ko.with_file_name("Module.symvers"),
        Source::Crate(_) | Source::RustFile(_) => return Ok(None),
    };
    Ok(list.is_file().then_some(list))
}

fn check_release(tree: &KernelTree, kos: &[Ko]) -> Result<()> {
    match kos.iter().find(|ko| ko.kernel != tree.release) {
        None => Ok(()),
        Some(ko) => {
            let message = format!("it was built for the kernel {}", ko.kernel);
            Err(Error::new(Kind::Usage, "", message)
                .help("give the contract the sources of the helper, and koru builds them"))
        }
    }
}
