// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compares what a target has before the load of a run and after the unload.

use std::sync::Arc;

use koru_error::Result;
use koru_protocol::{Inventory, ModuleRow};
use koru_session::{LeftBehind, Session};

use crate::{
    context::Context,
    log::oops,
    target::traits::{ReadyModule, Target},
};

/// The inventories of a run. A target that answers no calls has none.
#[derive(Default)]
pub struct Inventories {
    pub before: Option<Arc<Inventory>>,
    loaded: Option<Inventory>,
    /// The modules that cannot be unloaded.
    permanent: Vec<String>,
}

impl Inventories {
    /// Takes the inventory before the load.
    pub fn before(target: &dyn Target) -> Result<Inventories> {
        Ok(Inventories {
            before: target.inventory_before()?.map(Arc::new),
            ..Inventories::default()
        })
    }

    /// Takes the inventory after the load, on a machine that others use, too.
    pub fn loaded(&mut self, target: &dyn Target) -> Result<()> {
        if self.before.is_some() && target.outlives_run() {
            self.loaded = target.inventory()?;
        }
        Ok(())
    }

    /// Takes the result of an unload. A module that cannot be unloaded at all is left behind,
    /// which is no failure of the run.
    pub fn unloaded(
        &mut self,
        target: &dyn Target,
        module: &ReadyModule,
        unloaded: Result<()>,
    ) -> Result<()> {
        // A guest that plays a script answers no calls, and one that is gone none either.
        let modules = match (&unloaded, &self.before) {
            (Err(_), Some(_)) => target.prepared().session.list().unwrap_or_default(),
            _ => Vec::new(),
        };
        let is_permanent = |row: &ModuleRow| row.permanent && row.name == module.name;
        if !modules.iter().any(is_permanent) {
            return unloaded;
        }
        self.permanent.push(format!(
            "{}, which has no module_exit and cannot be unloaded",
            module.name
        ));
        Ok(())
    }

    /// Returns what is left after the unload.
    pub fn left(&self, target: &dyn Target) -> Result<LeftBehind> {
        if !self.permanent.is_empty() {
            return Ok(LeftBehind {
                entries: self.permanent.clone(),
                ..LeftBehind::default()
            });
        }
        let Some(before) = &self.before else {
            return Ok(LeftBehind::default());
        };
        let session = &target.prepared().session;
        Ok(session.left_behind(before, self.loaded.as_ref())?)
    }
}

/// Returns what is left with the functions named that have allocated some of it.
pub fn named(context: &Context, session: &Session, mut left: LeftBehind) -> LeftBehind {
    if left.entries.iter().any(|entry| entry.contains(" 0x")) {
        let decoder = oops::decoder_of(context, session);
        let entries = &mut left.entries;
        entries.iter_mut().for_each(|e| *e = decoder.sentence(e));
    }
    left
}

/// Warns of what is left after a run.
pub fn warn(context: &Context, left: &LeftBehind) {
    if let Some(sentence) = left.sentence() {
        let help = match () {
            () if sentence.contains("module_exit") => {
                "add one with module_exit(), even if it does nothing"
            }
            () if left.entries.iter().all(|e| e.contains(" allocated by ")) => {
                "the module must free it before its exit returns"
            }
            () => "the module's exit must unregister it; a use of it brings the kernel down",
        };
        context.ui.warn(&sentence, help);
    }
    for file in &left.plain_files {
        context.ui.warn(
            &format!("{file} is a plain file that the command made: there is no such device"),
            "the module must register a device of this name, or the command must make its node",
        );
    }
}
