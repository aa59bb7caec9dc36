// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the modules to load: builds them, or takes built files, and finds those that they
//! need.

use std::{
    fs,
    path::{Path, PathBuf},
};

use koru_error::{Error, Kind, Result};
use koru_kbuild::{Ko, ModInfo, Source, Stages, is_prebuilt, module_name, unpacked};
use koru_kernels::KernelTree;

use crate::{context::Context, target::request::ModuleRequest};

/// A module to load, either built or a prebuilt file.
#[derive(Clone)]
pub struct Loadable {
    pub name: String,
    pub path: PathBuf,
    /// The module's parameters, `key=value`.
    pub params: Vec<String>,
    /// Whether the module is loaded only because another one needs it.
    pub is_dependency: bool,
}

/// Modules that are loaded before others, which may use their symbols.
#[derive(Clone, Default)]
pub struct Helpers {
    /// The modules, in the order in which they are loaded.
    pub modules: Vec<Loadable>,
    /// Lists of their symbols, for builds.
    pub symbols: Vec<PathBuf>,
}

/// Builds the modules of a request, and returns them with those that they need, in the order
/// in which they are loaded, and how long building took. `tree` is called only if something has
/// to be built or looked for.
pub fn loadable_modules(
    context: &Context,
    tree: impl Fn() -> Result<KernelTree>,
    requests: &[ModuleRequest],
) -> Result<(Vec<Loadable>, Stages)> {
    loadable_after(context, tree, requests, &Helpers::default())
}

/// Does the same for modules before which `helpers` are loaded, which are in the result.
pub fn loadable_after(
    context: &Context,
    tree: impl Fn() -> Result<KernelTree>,
    requests: &[ModuleRequest],
    helpers: &Helpers,
) -> Result<(Vec<Loadable>, Stages)> {
    let mut modules = helpers.modules.clone();
    let mut total = Stages::default();
    for request in requests {
        let names: Vec<String> = request.source.iter().cloned().collect();
        let mut sources = context.sources(&names)?;
        for source in &mut sources {
            source.see_symbols(&helpers.symbols);
        }
        if let Some(wanted) = &request.module {
            let wanted = wanted.replace('-', "_");
            let names: Vec<String> = sources.iter().filter_map(Source::name).collect();
            sources.retain(|source| source.name().is_none_or(|name| name == wanted));
            if sources.is_empty() {
                return Err(none_of_this_name(&wanted, &names));
            }
        } else if sources.len() > 1 {
            let names = sources.iter().filter_map(Source::name);
            return Err(several(names.collect()));
        }
        let (kos, stages) = context.build_sources(&tree, &sources)?;
        total.add(&stages);
        let chosen = choose(&kos, request.module.as_deref())?;
        let beside = beside(context, &sources, &kos);
        add(context, &tree, chosen, &beside, &mut modules)?;
        if let Some(module) = modules.last_mut() {
            module.params = request.params.clone();
        }
    }
    Ok((modules, total))
}

/// Returns all modules that were built from sources, with those that they need, in the order in
/// which they are loaded. The modules of `before` are at the beginning.
pub fn all_in_order(
    context: &Context,
    tree: &KernelTree,
    sources: &[Source],
    kos: &[Ko],
    before: &[Loadable],
) -> Result<Vec<Loadable>> {
    let beside = beside(context, sources, kos);
    let mut modules = before.to_vec();
    for ko in kos {
        // One that another one needs is there already.
        if !modules.iter().any(|m: &Loadable| m.name == ko.name) {
            add(context, &|| Ok(tree.clone()), ko, &beside, &mut modules)?;
        }
    }
    Ok(modules)
}

/// Adds a module behind those that it needs.
fn add(
    context: &Context,
    tree: &impl Fn() -> Result<KernelTree>,
    ko: &Ko,
    beside: &[(String, PathBuf)],
    modules: &mut Vec<Loadable>,
) -> Result<()> {
    let mut found = Found {
        context,
        tree,
        beside,
        modules,
    };
    found.add_dependencies(&ko.name, &ko.path)?;
    modules.retain(|module| module.name != ko.name);
    modules.push(Loadable {
        name: ko.name.clone(),
        path: ko.path.clone(),
        params: Vec::new(),
        is_dependency: false,
    });
    Ok(())
}

/// Chooses the module to load from those that were built: the one that the user named, or the
/// only one that no other one needs.
fn choose<'a>(kos: &'a [Ko], wanted: Option<&str>) -> Result<&'a Ko> {
    if let Some(wanted) = wanted {
        let wanted = wanted.replace('-', "_");
        return kos.iter().find(|ko| ko.name == wanted).ok_or_else(|| {
            let names: Vec<String> = kos.iter().map(|ko| ko.name.clone()).collect();
            none_of_this_name(&wanted, &names)
        });
    }
    let mut needed = Vec::new();
    if kos.len() > 1 {
        for ko in kos {
            needed.extend(ModInfo::read(&ko.path)?.dependencies().map(str::to_owned));
        }
    }
    let mut roots = kos.iter().filter(|ko| !needed.contains(&ko.name));
    match (roots.next(), roots.next()) {
        (Some(root), None) => Ok(root),
        _ => Err(several(kos.iter().map(|ko| ko.name.clone()).collect())),
    }
}

fn none_of_this_name(wanted: &str, names: &[String]) -> Error {
    let attempted = format!("looking for the module `{wanted}`");
    Error::new(Kind::Usage, attempted, "there is none of this name here")
        .help(format!("there are: {}", names.join(", ")))
}

fn several(names: Vec<String>) -> Error {
    Error::new(Kind::Usage, "choosing a module", "several modules are here").help(format!(
        "name one of them, as in `--module {}`: {}",
        names[0],
        names.join(", ")
    ))
}

/// Returns the names and files of the modules that belong together with a module: those of the
/// build and those of other folders that it needed, or those in the folder of a built file.
fn beside(context: &Context, sources: &[Source], kos: &[Ko]) -> Vec<(String, PathBuf)> {
    let built = kos.iter().map(|ko| (ko.name.clone(), ko.path.clone()));
    let mut all: Vec<(String, PathBuf)> = built.collect();
    for source in sources {
        let files: Vec<PathBuf> = match (source, kos.first()) {
            (Source::Prebuilt(file), _) => {
                let folder = file.parent().unwrap_or(Path::new("."));
                let entries = fs::read_dir(folder).into_iter().flatten().flatten();
                let files = entries.map(|e| e.path());
                files
                    .filter(|path| is_prebuilt(&path.to_string_lossy()))
                    .collect()
            }
            (Source::Kbuild(source), Some(ko)) => source.provided(&context.cache, &ko.kernel),
            _ => continue,
        };
        all.extend(files.into_iter().map(|path| (module_name(&path), path)));
    }
    all
}

/// The modules that have been found so far, each before those that need it.
struct Found<'a, T> {
    context: &'a Context,
    tree: &'a T,
    beside: &'a [(String, PathBuf)],
    modules: &'a mut Vec<Loadable>,
}

impl<T: Fn() -> Result<KernelTree>> Found<'_, T> {
    /// Adds what a module needs.
    fn add_dependencies(&mut self, needs: &str, ko: &Path) -> Result<()> {
        let info = ModInfo::read(ko)?;
        for name in info.dependencies() {
            if self.modules.iter().any(|module| module.name == name) {
                continue;
            }
            let Some(path) = self.find(needs, name)? else {
                continue;
            };
            let path = unpacked(&self.context.cache, &path, &*self.context.ui)?;
            self.add_dependencies(name, &path)?;
            self.context.register_module(name, &path);
            self.modules.push(Loadable {
                name: name.to_owned(),
                path,
                params: Vec::new(),
                is_dependency: true,
            });
        }
        Ok(())
    }

    /// Finds the module `name`, which another one needs. If the kernel's own modules are not
    /// here, as those of a machine that ssh reaches, it has to be loaded there already.
    fn find(&self, needs: &str, name: &str) -> Result<Option<PathBuf>> {
        if let Some((_, path)) = self.beside.iter().find(|(beside, _)| beside == name) {
            return Ok(Some(path.clone()));
        }
        let tree = (self.tree)()?;
        if tree.modules_dir.is_none() {
            return Ok(None);
        }
        tree.own_module(name).map(Some).ok_or_else(|| {
            let attempted = format!("looking for the module `{name}`, which {needs} needs");
            let message = format!(
                "it is neither beside {needs} nor a module of {}",
                tree.release
            );
            Error::new(Kind::Usage, attempted, message)
                .help("put both into one git repository, or into one folder: `obj-m := a.o b.o`")
        })
    }
}
