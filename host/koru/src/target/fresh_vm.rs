// SPDX-License-Identifier: MIT OR Apache-2.0

//! A virtual machine for one run.

use std::{
    fs, panic,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use koru_error::{Error, IoContext, Result};
use koru_protocol::{Exec, Inventory};
use koru_qemu::Initramfs;
use koru_vm::Guest;

use crate::{
    cli::MachineArgs,
    context::Context,
    exec,
    guest::{self, module_path},
    loadable::{Loadable, loadable_modules},
    programs,
    target::{
        request::{CommandIo, RunRequest},
        staging::stage_in_initramfs,
        traits::{KillHandle, Prepared, ReadyModule, Target},
    },
};

/// A guest that was started for one run. After a failure it is discarded with the modules in
/// it.
pub struct FreshVm {
    guest: Guest,
    prepared: Prepared,
    inventory: Inventory,
}

impl FreshVm {
    /// Starts a guest of a request's kernel with the modules and files of the request in it.
    /// `gdb` is the socket on which gdb reaches the guest's processors.
    pub fn prepare(
        context: &Context,
        request: &RunRequest,
        machine: &MachineArgs,
        gdb: Option<&Path>,
    ) -> Result<FreshVm> {
        let tree = context.tree(&request.kernel)?;
        let (files, command) = command_files(context, request)?;
        let is_built = AtomicBool::new(false);
        let start = || {
            let mut config = guest::config(context, &tree, files, machine)?;
            config.gdb = gdb.map(Path::to_owned);
            let guest = Guest::start(config)?;
            // The guest has nothing else to do while the module is built.
            let inventory = guest.session().inventory()?;
            if !is_built.load(Ordering::Relaxed) {
                guest.session().rehearse_load()?;
            }
            Ok::<_, Error>((guest, inventory))
        };
        // Start the guest while cargo runs: both take about equally long when nothing needs
        // to be rebuilt.
        let ((modules, build), (guest, inventory)) = thread::scope(|s| {
            let starting = s.spawn(start);
            let modules = loadable_modules(context, || Ok(tree.clone()), &request.modules);
            is_built.store(true, Ordering::Relaxed);
            let guest = starting.join().unwrap_or_else(|e| panic::resume_unwind(e));
            Ok::<_, Error>((modules?, guest?))
        })?;
        let session = guest.session().clone();
        for module in &modules {
            let content = fs::read(&module.path).path_context("reading", &module.path)?;
            session.put_file(&module_path(&module.name), 0o644, &content)?;
        }
        let prepared = Prepared {
            session,
            release: tree.release.clone(),
            tree: Some(tree),
            modules: in_guest(modules),
            command,
            build,
            start: guest.boot_time(),
        };
        Ok(FreshVm {
            guest,
            prepared,
            inventory,
        })
    }

    /// Ends the guest at once.
    pub fn kill(&self) {
        self.guest.kill_handle()();
    }

    /// Returns the guest itself.
    pub fn into_guest(self) -> Guest {
        self.guest
    }
}

/// Returns the files in a guest that the command of a request needs, and the command as it is
/// called there.
pub fn command_files(context: &Context, request: &RunRequest) -> Result<(Initramfs, Vec<String>)> {
    let mut root = Initramfs::new();
    let mentioned = programs::mentioned(&context.home.root, &request.command);
    programs::build(context, &mentioned)?;
    programs::put(context, &mut root, &mentioned)?;
    let command = stage_in_initramfs(context, &mut root, &request.files, &request.command)?;
    Ok((root, command))
}

/// Returns the modules of a request as they are in a guest.
pub fn in_guest(modules: Vec<Loadable>) -> Vec<ReadyModule> {
    let ready = modules.into_iter().map(|module| ReadyModule {
        path: module_path(&module.name),
        name: module.name,
        file: module.path,
        params: module.params,
        is_dependency: module.is_dependency,
    });
    ready.collect()
}

/// Runs the command in a guest, and returns its exit status.
pub fn run_in_guest(prepared: &Prepared, io: &CommandIo) -> Result<u8> {
    let Prepared {
        session, command, ..
    } = prepared;
    match io.interactive {
        true => exec::run(session, command),
        false => exec::run_alone(session, command, Exec::default(), io.output),
    }
}

impl Target for FreshVm {
    fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    fn inventory_before(&self) -> Result<Option<Inventory>> {
        Ok(Some(self.inventory.clone()))
    }

    fn run_command(&self, io: &CommandIo) -> Result<u8> {
        run_in_guest(&self.prepared, io)
    }

    fn outlives_run(&self) -> bool {
        false
    }

    fn kill_handle(&self) -> Option<KillHandle> {
        Some(Box::new(self.guest.kill_handle()))
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(self.guest.power_off()?)
    }
}
