use std::{
    env,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use koru_error::{Error, Result};
use koru_kbuild::{BuildOptions, Builder, Ko, Module, Stages, find_modules};
use koru_kernels::{Cache, Home, KernelTree, Kernels};
use koru_session::Session;

use crate::{
    cli::KernelChoice,
    oops::{self, Known},
    ui::Ui,
};

/// What every command needs.
pub struct Context {
    pub ui: Arc<Ui>,
    pub json: bool,
    /// Oopses are shown as the kernel prints them, too.
    pub raw: bool,
    pub home: Home,
    pub cache: Cache,
    pub kernels: Kernels,
    /// Where the user is.
    pub here: PathBuf,
    known: Mutex<Known>,
    /// The session of the target, once there is one.
    pub there: Mutex<Option<Session>>,
}

impl Context {
    pub fn new(json: bool, quiet: bool, raw: bool) -> Result<Context> {
        let home = Home::find()?;
        let cache = Cache::new(&home.cache);
        let here = env::current_dir()
            .ok()
            .unwrap_or_else(|| PathBuf::from("/"));
        Ok(Context {
            ui: Arc::new(Ui::new(json || quiet)),
            json,
            raw,
            kernels: Kernels::new(&cache),
            cache,
            home,
            here,
            known: Mutex::default(),
            there: Mutex::default(),
        })
    }

    /// A module's file, with its debug info in it or beside it.
    pub fn know(&self, module: &str, ko: &Path) {
        let known = (module.to_owned(), ko.to_owned());
        self.know_more(|all| all.kos.insert(0, known));
    }

    pub fn know_more(&self, add: impl FnOnce(&mut Known)) {
        add(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn known(&self) -> Known {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Shows a failure; oopses in it are decoded.
    pub fn show_error(&self, mut error: Error) {
        let decoder = oops::decoder(self);
        let style = oops::style(self.ui.colour(), self.raw);
        error.output = error
            .output
            .map(|log| oops::text(&decoder, &log, self.raw, &style));
        error.context = decoder.sentence(&error.context);
        error.message = decoder.sentence(&error.message);
        self.ui.error(&error);
    }

    /// The kernel tree that the user chose.
    pub fn tree(&self, choice: &KernelChoice) -> Result<KernelTree> {
        let choice = choice.or_environment();
        match &choice.kdir {
            Some(dir) => self.kernels.at(&self.here.join(dir)),
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
