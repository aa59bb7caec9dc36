// SPDX-License-Identifier: MIT OR Apache-2.0

//! The context of a command: the settings, the kernels, the output, the known modules.

use std::{
    collections::HashSet,
    env, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use koru_error::{Kind, Result};
use koru_kbuild::{
    BuildOptions, Builder, Ko, Module, Source, Stages, find_modules, find_sources, unpacked,
    usable_target_dir,
};
use koru_kernels::{Cache, Home, KernelTree, Kernels};
use koru_sandbox::Sandbox;
use koru_session::Session;

use crate::{
    cargo_settings,
    cli::{BuildRules, KernelChoice},
    dependencies::Uses,
    log::debug_info::DebugInfoIndex,
    ui::Ui,
};

/// The context that every command needs.
pub struct Context {
    pub ui: Arc<Ui>,
    pub json: bool,
    /// Whether oopses are also shown as the kernel prints them.
    pub raw: bool,
    pub home: Home,
    pub cache: Cache,
    pub kernels: Kernels,
    /// The current directory.
    pub cwd: PathBuf,
    /// The sandbox for builds in C, unless the user trusts the sources.
    pub sandbox: Option<Sandbox>,
    /// The one for builds in Rust, except for those of Koru's own sources.
    pub rust_sandbox: Option<Sandbox>,
    debug_info: Mutex<DebugInfoIndex>,
    /// Of which modules it was said that they do not support which kernel.
    warned: Mutex<HashSet<(PathBuf, String)>>,
    /// The session with the target, once there is one.
    pub target_session: Mutex<Option<Session>>,
}

impl Context {
    pub fn new(json: bool, quiet: bool, raw: bool, rules: &BuildRules) -> Result<Context> {
        let home = Home::find()?;
        let cache = Cache::new(&home.cache);
        let cwd = env::current_dir()
            .ok()
            .unwrap_or_else(|| PathBuf::from("/"));
        let (sandbox, rust_sandbox) = rules.sandboxes(&cwd).unzip();
        Ok(Context {
            ui: Arc::new(Ui::new(json || quiet)),
            json,
            raw,
            kernels: Kernels::new(&cache),
            cache,
            home,
            sandbox,
            rust_sandbox,
            cwd,
            debug_info: Mutex::default(),
            warned: Mutex::default(),
            target_session: Mutex::default(),
        })
    }

    /// Returns whether the current directory belongs to the project Koru itself.
    pub fn is_in_checkout(&self) -> bool {
        self.belongs_to_checkout(&self.cwd)
    }

    /// Returns whether a folder belongs to the project Koru itself. A module of a user's own may
    /// be in the checkout as well, with a workspace of its own.
    pub fn belongs_to_checkout(&self, folder: &Path) -> bool {
        let inside = folder.ancestors().take_while(|dir| *dir != self.home.root);
        let mut inside = inside.map(|dir| fs::read_to_string(dir.join("Cargo.toml")));
        let is_own = |text: String| text.lines().any(|line| line.trim() == "[workspace]");
        folder.starts_with(&self.home.root) && !inside.any(|text| text.is_ok_and(is_own))
    }

    /// Registers a module's file, which has its debug info in it or next to it.
    pub fn register_module(&self, module: &str, ko: &Path) {
        let file = (module.to_owned(), ko.to_owned());
        self.update_debug_info(|index| index.kos.insert(0, file));
    }

    pub fn update_debug_info(&self, update: impl FnOnce(&mut DebugInfoIndex)) {
        update(
            &mut self
                .debug_info
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    pub fn debug_info(&self) -> DebugInfoIndex {
        let index = self
            .debug_info
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        index.clone()
    }

    /// Returns the kernel tree that the user chose.
    pub fn tree(&self, choice: &KernelChoice) -> Result<KernelTree> {
        let choice = choice.or_environment();
        match &choice.kdir {
            Some(dir) => self.kernels.at(&self.cwd.join(dir)),
            None => self.kernels.find(choice.kernel.as_deref()),
        }
    }

    /// Returns the kernels that a command with these choices uses, before they are all here.
    pub fn uses(&self, choices: &[KernelChoice]) -> Uses {
        let all: Result<Vec<KernelTree>> = choices.iter().map(|choice| self.tree(choice)).collect();
        let made = choices
            .iter()
            .all(|choice| choice.or_environment().is_made());
        match all {
            Ok(trees) if made && !trees.is_empty() => Uses::only(trees),
            _ => Uses::of_set_up(
                choices
                    .iter()
                    .flat_map(|choice| self.tree(choice))
                    .collect(),
            ),
        }
    }

    /// Returns the folder in which cargo builds the programs of the checkout.
    pub fn checkout_target_dir(&self) -> PathBuf {
        usable_target_dir(&self.home, &self.home.root.join("target"))
    }

    /// Returns the modules that the user named, or those of this folder.
    pub fn modules(&self, names: &[String]) -> Result<Vec<Module>> {
        find_modules(&self.home, &self.cwd, names)
    }

    /// Returns the sources that the user named, or those of this folder.
    pub fn sources(&self, names: &[String]) -> Result<Vec<Source>> {
        find_sources(&self.home, &self.cwd, names)
    }

    /// Builds modules from these sources, in their order. A built module is taken as it is;
    /// `tree` is called only if something has to be built.
    pub fn build_sources(
        &self,
        tree: impl Fn() -> Result<KernelTree>,
        sources: &[Source],
    ) -> Result<(Vec<Ko>, Stages)> {
        let mut kos = Vec::new();
        let mut total = Stages::default();
        // All crates are built by one run of cargo for each workspace.
        let crates = sources.iter().filter_map(|source| match source {
            Source::Crate(module) => Some(module.clone()),
            _ => None,
        });
        let crates: Vec<Module> = crates.collect();
        let mut crates = match crates.is_empty() {
            true => Vec::new(),
            false => {
                let (kos, stages) = self.build(&tree()?, &crates)?;
                total.add(&stages);
                kos
            }
        };
        for source in sources {
            match source {
                Source::Crate(module) => {
                    let at = crates.iter().position(|ko| ko.name == module.name);
                    kos.extend(at.map(|at| crates.remove(at)));
                }
                Source::Kbuild(source) => {
                    let begun = Instant::now();
                    let sandbox = self.sandbox.as_ref();
                    kos.extend(source.build(&self.cache, &tree()?, sandbox, &*self.ui)?);
                    total.kbuild += begun.elapsed();
                }
                Source::RustFile(file) => {
                    let (built, stages) = self.build(&tree()?, &[file.package(&self.cache)?])?;
                    kos.extend(built);
                    total.add(&stages);
                }
                Source::Prebuilt(path) => {
                    let path = unpacked(&self.cache, path, &*self.ui)?;
                    kos.push(Ko::prebuilt(&path)?);
                }
            }
        }
        for ko in &kos {
            self.register_module(&ko.name, &ko.path);
            if let Some(moved) = ko.moved.clone() {
                self.update_debug_info(|index| index.moved.push(moved));
            }
        }
        Ok((kos, total))
    }

    pub fn build(&self, tree: &KernelTree, modules: &[Module]) -> Result<(Vec<Ko>, Stages)> {
        let builder = Builder::new(&self.home, tree, &*self.ui)?;
        let options = BuildOptions {
            colour: self.ui.colour(),
            sandbox: self.rust_sandbox.clone(),
        };
        self.warn_if_unsupported(tree, modules);
        let ignored = cargo_settings::tell(&self.home, modules, &*self.ui);
        builder.build(modules, options, &*self.ui).map_err(|mut e| {
            // cargo itself failed, perhaps for lack of a setting.
            if e.kind == Kind::System && e.help.is_none() {
                e.help = ignored;
            }
            e
        })
    }

    /// Warns of modules that do not support the kernel, as their authors say. They are built all
    /// the same: support of one more kernel begins with a build for it.
    fn warn_if_unsupported(&self, tree: &KernelTree, modules: &[Module]) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        for module in modules {
            let Some(kernels) = &module.kernels else {
                continue;
            };
            let release = &tree.release;
            let key = (module.dir.clone(), release.clone());
            if !kernels.include(release) && warned.insert(key) {
                self.ui.warn(
                    &format!(
                        "{} does not support {release}: it supports {kernels}",
                        module.name
                    ),
                    &format!(
                        "if it works there, add this kernel to the list in {}",
                        kernels.place(&self.cwd)
                    ),
                );
            }
        }
    }
}
