use std::{env, path::PathBuf, sync::Arc};

use koru_build::{
    BuildOptions, Builder, Cache, Home, KernelTree, Kernels, Ko, Module, Result, Stages,
    find_modules,
};

use crate::{cli::KernelChoice, ui::Ui};

/// What every command needs.
pub struct Context {
    pub ui: Arc<Ui>,
    pub json: bool,
    pub home: Home,
    pub cache: Cache,
    pub kernels: Kernels,
    /// Where the user is.
    pub here: PathBuf,
}

impl Context {
    pub fn new(json: bool, quiet: bool) -> Result<Context> {
        let home = Home::find()?;
        let cache = Cache::new(&home.cache);
        let here = env::current_dir()
            .ok()
            .unwrap_or_else(|| PathBuf::from("/"));
        Ok(Context {
            ui: Arc::new(Ui::new(json || quiet)),
            json,
            kernels: Kernels::new(&cache),
            cache,
            home,
            here,
        })
    }

    /// The kernel tree that the user chose.
    pub fn tree(&self, choice: &KernelChoice) -> Result<KernelTree> {
        let choice = choice.or_environment();
        match &choice.kdir {
            Some(dir) => KernelTree::open(&self.here.join(dir)),
            None => self.kernels.find(choice.kernel.as_deref()),
        }
    }

    /// The modules that the user named, or those of this folder.
    pub fn modules(&self, names: &[String]) -> Result<Vec<Module>> {
        find_modules(&self.home, &self.here, names)
    }

    pub fn build(&self, tree: &KernelTree, modules: &[Module]) -> Result<(Vec<Ko>, Stages)> {
        let builder = Builder::new(&self.home, tree, &*self.ui)?;
        let options = BuildOptions {
            colour: self.ui.colour(),
        };
        builder.build(modules, options, &*self.ui)
    }
}
