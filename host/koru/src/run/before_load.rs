// SPDX-License-Identifier: MIT OR Apache-2.0

//! Remembers what a kernel had before a module was loaded until a later command unloads it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use koru_error::{IoContext, Result};
use koru_kernels::{Key, write_atomically};
use koru_protocol::Inventory;
use koru_session::{LeftBehind, Session};
use serde::{Deserialize, Serialize};

use crate::{cli::TargetArgs, context::Context, target::name::TargetName};

/// What a kernel had before and right after the load of a module.
#[derive(Serialize, Deserialize)]
pub struct BeforeLoad {
    /// What tells this start of the kernel from others.
    boot: String,
    before: Inventory,
    loaded: Inventory,
}

impl BeforeLoad {
    /// Takes the inventory before a load.
    pub fn new(session: &Session) -> Result<BeforeLoad> {
        Ok(BeforeLoad {
            boot: boot_of(session)?,
            before: session.inventory()?,
            loaded: Inventory::default(),
        })
    }

    /// Takes the inventory after the load, and keeps both for the command that unloads the
    /// module.
    pub fn keep(
        mut self,
        context: &Context,
        session: &Session,
        target: &TargetArgs,
        module: &str,
    ) -> Result<()> {
        self.loaded = session.inventory()?;
        let file = file(context, target, module);
        let folder = file.parent().unwrap_or(&file);
        fs::create_dir_all(folder).path_context("making", folder)?;
        let text = serde_json::to_vec(&self).expect("our types have string keys");
        write_atomically(&file, &text)
    }

    /// Returns what the load of a module kept, once. A module that something else has loaded has
    /// nothing to be compared with.
    pub fn take(
        context: &Context,
        session: &Session,
        target: &TargetArgs,
        module: &str,
    ) -> Option<BeforeLoad> {
        let file = file(context, target, module);
        let kept = read(&file);
        let _ = fs::remove_file(&file);
        kept.filter(|kept| boot_of(session).is_ok_and(|boot| boot == kept.boot))
    }

    /// Returns what the kernel had before these modules were loaded, as far as that was kept.
    pub fn of_all(
        context: &Context,
        session: &Session,
        target: &TargetArgs,
        modules: &[String],
    ) -> Option<Inventory> {
        let boot = boot_of(session).ok()?;
        let kept = modules
            .iter()
            .filter_map(|m| read(&file(context, target, m)));
        let kept = kept
            .filter(|kept| kept.boot == boot)
            .map(|kept| kept.before);
        kept.reduce(|mut all, one| {
            all.entries.retain(|e| one.entries.binary_search(e).is_ok());
            all
        })
    }

    /// Returns what is left of the module after its unload. Others use the machine as well, so
    /// only what was there right after the load counts.
    pub fn left(&self, session: &Session) -> Result<LeftBehind> {
        Ok(session.left_behind(&self.before, Some(&self.loaded))?)
    }
}

fn read(file: &Path) -> Option<BeforeLoad> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

fn boot_of(session: &Session) -> Result<String> {
    let id = session.get_file("/proc/sys/kernel/random/boot_id")?;
    Ok(String::from_utf8_lossy(&id).trim_end().to_owned())
}

fn file(context: &Context, target: &TargetArgs, module: &str) -> PathBuf {
    let target = match &target.target {
        TargetName::Vm => format!("vm {}", target.vm.vm),
        own => own.to_string(),
    };
    let key = Key::default().with(target).with(module.replace('-', "_"));
    let folder = context.cache.root().join("loaded");
    folder.join(format!("{}.json", key.hex()))
}
