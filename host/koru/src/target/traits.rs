// SPDX-License-Identifier: MIT OR Apache-2.0

//! What all targets have in common.

use std::{path::PathBuf, time::Duration};

use koru_error::Result;
use koru_kbuild::Stages;
use koru_kernels::KernelTree;
use koru_klog::Complaint;
use koru_protocol::Inventory;
use koru_session::Session;

use crate::{
    log::baseline::Baseline,
    target::{load_error::load_error, parameters, request::CommandIo},
};

/// A target on which everything is in place that a run needs: its modules are built and
/// copied, and so are the files of its command.
///
/// What was copied to a machine that goes on running is removed when the target is dropped.
pub trait Target {
    /// Returns what was prepared.
    fn prepared(&self) -> &Prepared;

    /// Returns the state of the kernel before the run.
    fn baseline(&self) -> Result<Baseline> {
        Ok(Baseline::of(&self.prepared().session)?)
    }

    /// Returns what the kernel has now that a module could have registered. A target that
    /// answers no calls has no inventory.
    fn inventory(&self) -> Result<Option<Inventory>> {
        Ok(Some(self.prepared().session.inventory()?))
    }

    /// Returns the inventory before the load.
    fn inventory_before(&self) -> Result<Option<Inventory>> {
        self.inventory()
    }

    /// Loads a module for this run.
    fn load(&self, module: &ReadyModule) -> Result<()> {
        let Prepared { session, tree, .. } = self.prepared();
        let report = session
            .load(&module.path, &module.params)
            .map_err(|e| load_error(e, tree.as_ref()))?;
        parameters::check(&module.name, &module.file, &report)
    }

    /// Runs the command to its end, and returns its exit status.
    fn run_command(&self, io: &CommandIo) -> Result<u8>;

    /// Unloads a module.
    fn unload(&self, module: &ReadyModule) -> Result<()> {
        self.prepared().session.unload(&module.name)?;
        Ok(())
    }

    /// Returns whether the kernel goes on running after this run. Then the modules are unloaded
    /// even if the run fails.
    fn outlives_run(&self) -> bool;

    /// Ends the part of the run that is observed, and returns the kernel's complaint since the
    /// baseline. No complaint is looked for after a run that failed.
    fn complaint(&self, baseline: &Baseline, succeeded: bool) -> Result<Option<Complaint>> {
        match succeeded {
            true => Ok(baseline.complaint(&self.prepared().session)?),
            false => Ok(None),
        }
    }

    /// Returns the kernel's complaint if the kernel cannot go on after it. Then not even a module
    /// can be unloaded.
    fn fatal_complaint(&self, baseline: &Baseline) -> Result<Option<Complaint>> {
        let complaint = baseline.complaint(&self.prepared().session)?;
        Ok(complaint.filter(|c| c.kind.is_fatal()))
    }

    /// Returns a function that ends the run at once, and that any thread may call. Not every
    /// run can be ended.
    fn kill_handle(&self) -> Option<KillHandle> {
        None
    }

    /// Ends the use of the target after a run that succeeded.
    fn close(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

impl Prepared {
    /// Returns whether a module is loaded already, and only has to be because another one needs
    /// it.
    pub fn is_there(&self, module: &ReadyModule) -> Result<bool> {
        if !module.is_dependency {
            return Ok(false);
        }
        let loaded = self.session.list()?;
        Ok(loaded.iter().any(|m| m.name == module.name))
    }

    /// Returns the names of the modules that were asked for, for messages.
    pub fn names(&self) -> String {
        let asked = self.modules.iter().filter(|m| !m.is_dependency);
        let names = asked.map(|m| m.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    }
}

/// A function that ends a run at once.
pub type KillHandle = Box<dyn FnOnce() + Send>;

/// What is in place on a target.
pub struct Prepared {
    pub session: Session,
    /// The release of the target's kernel.
    pub release: String,
    /// The tree of the target's kernel, if it is here.
    pub tree: Option<KernelTree>,
    pub modules: Vec<ReadyModule>,
    /// The command, with the paths that its files have on the target. There may be none.
    pub command: Vec<String>,
    /// How long building the modules took.
    pub build: Stages,
    /// How long the target took to start, or to be reached.
    pub start: Duration,
}

/// A module that is on its target.
pub struct ReadyModule {
    pub name: String,
    /// The module's file on this machine.
    pub file: PathBuf,
    /// The module's path on the target.
    pub path: String,
    pub params: Vec<String>,
    /// Whether the module is there only because another one needs it.
    pub is_dependency: bool,
}
