// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compares what a target has before the load of a run and after the unload.

use koru_error::Result;
use koru_protocol::Inventory;
use koru_session::LeftBehind;

use crate::{context::Context, target::traits::Target};

/// The inventories of a run. A target that answers no calls has none.
#[derive(Default)]
pub struct Inventories {
    before: Option<Inventory>,
    loaded: Option<Inventory>,
}

impl Inventories {
    /// Takes the inventory before the load.
    pub fn before(target: &dyn Target) -> Result<Inventories> {
        Ok(Inventories {
            before: target.inventory_before()?,
            loaded: None,
        })
    }

    /// Takes the inventory after the load, on a machine that others use, too.
    pub fn loaded(&mut self, target: &dyn Target) -> Result<()> {
        if self.before.is_some() && target.outlives_run() {
            self.loaded = target.inventory()?;
        }
        Ok(())
    }

    /// Returns what is left after the unload.
    pub fn left(&self, target: &dyn Target) -> Result<LeftBehind> {
        let Some(before) = &self.before else {
            return Ok(LeftBehind::default());
        };
        let session = &target.prepared().session;
        Ok(session.left_behind(before, self.loaded.as_ref())?)
    }
}

/// Warns of what is left after a run.
pub fn warn(context: &Context, left: &LeftBehind) {
    if let Some(sentence) = left.sentence() {
        context.ui.warn(
            &sentence,
            "the module's exit must unregister it; a use of it brings the kernel down",
        );
    }
    for file in &left.plain_files {
        context.ui.warn(
            &format!("{file} is a plain file that the command made: there is no such device"),
            "the module must register a device of this name, or the command must make its node",
        );
    }
}
