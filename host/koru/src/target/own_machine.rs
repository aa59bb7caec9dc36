// SPDX-License-Identifier: MIT OR Apache-2.0

//! A machine of the user's own: this one, or one that ssh reaches.

use std::{fs, time::Instant};

use koru_error::{IoContext, Result};
use koru_kbuild::Stages;
use koru_kernels::Progress;
use koru_protocol::Exec;
use koru_session::Session;

use crate::{
    context::Context,
    loadable::{Loadable, loadable_modules},
    target::{
        acceptance,
        consent::agree,
        headers::{self, same_release},
        load_error::load_error,
        machine::connect,
        name::TargetName,
        needed_modules::NeededModules,
        parameters,
        request::{CommandIo, RunRequest},
        staging::StagedFiles,
        traits::{Prepared, ReadyModule, Target},
    },
};

/// The folder for the modules' files on a machine that ssh reaches.
const FOLDER: &str = "/run/koru";

/// A machine whose kernel goes on running after the run.
pub struct OwnMachine {
    prepared: Prepared,
    staged: StagedFiles,
    /// Dropped with the rest, which removes the copies of the modules.
    _copies: CopiedModules,
    _needed: NeededModules,
}

impl OwnMachine {
    /// Builds the modules for the machine's own kernel, checks that the kernel will accept
    /// them, asks the user, and copies the modules and the command's files to the machine.
    pub fn prepare(
        context: &Context,
        request: &RunRequest,
        name: &TargetName,
    ) -> Result<OwnMachine> {
        let begun = Instant::now();
        let (session, release, (modules, build)) = if *name == TargetName::Host {
            // A module that cannot be built should not cost a password first.
            let release = running_release();
            let built = build_modules(context, request, name, &release, None)?;
            (connect(context, name)?, release, built)
        } else {
            let session = connect(context, name)?;
            let release = session.hello()?.release;
            let built = build_modules(context, request, name, &release, Some(&session))?;
            (session, release, built)
        };
        let mut copies = CopiedModules {
            session: session.clone(),
            paths: Vec::new(),
        };
        let needed = NeededModules::of(&session, &modules)?;
        let mut ready = Vec::new();
        for module in modules {
            acceptance::check(&session, &module, &release, &name.kernel_phrase())?;
            if !request.yes {
                agree(context, name, &session, &module.name, &release)?;
            }
            let path = match name {
                TargetName::Ssh(machine) => {
                    let status = format!("copying {} to {machine}", module.name);
                    context.ui.status(&status);
                    let copied = copies.add(&module);
                    context.ui.done();
                    copied?
                }
                _ => module.path.display().to_string(),
            };
            ready.push(ReadyModule {
                name: module.name,
                file: module.path,
                path,
                params: module.params,
                is_dependency: module.is_dependency,
            });
        }
        let needed = needed.load()?;
        let (staged, command) = StagedFiles::stage(context, &session, request, name)?;
        let start = begun.elapsed().saturating_sub(build.total());
        let tree = match name {
            TargetName::Host => headers::of_this_machine(context, &release).ok(),
            _ => context.kernels.exactly(&release).and_then(Result::ok),
        };
        let prepared = Prepared {
            session,
            release,
            tree,
            modules: ready,
            command,
            build,
            start,
        };
        Ok(OwnMachine {
            prepared,
            staged,
            _copies: copies,
            _needed: needed,
        })
    }
}

fn running_release() -> String {
    let uname = rustix::system::uname();
    uname.release().to_string_lossy().into_owned()
}

fn build_modules(
    context: &Context,
    request: &RunRequest,
    name: &TargetName,
    release: &str,
    session: Option<&Session>,
) -> Result<(Vec<Loadable>, Stages)> {
    let choice = request.kernel.or_environment();
    let tree = || match (choice.is_made(), session) {
        (true, _) => same_release(
            context.tree(&choice)?,
            release,
            format!("loading into {}", name.kernel_phrase()),
            "leave --kernel and --kdir out",
        ),
        (false, Some(session)) => headers::of_machine(context, session, name, release),
        (false, None) => headers::of_this_machine(context, release),
    };
    let built = loadable_modules(context, tree, &request.modules)?;
    context.ui.done();
    Ok(built)
}

/// The modules' files on another machine, which are removed when this is dropped.
struct CopiedModules {
    session: Session,
    paths: Vec<String>,
}

impl CopiedModules {
    /// Copies a module, and returns the path of the copy.
    fn add(&mut self, module: &Loadable) -> Result<String> {
        let content = fs::read(&module.path).path_context("reading", &module.path)?;
        let path = format!("{FOLDER}/{}.ko", module.name);
        self.paths.push(path.clone());
        self.session.put_file(&path, 0o600, &content)?;
        Ok(path)
    }
}

impl Drop for CopiedModules {
    fn drop(&mut self) {
        if self.paths.is_empty() || self.session.death().is_some() {
            return;
        }
        let rm = ["rm", "-f"].map(str::to_owned).into_iter();
        let _ = self
            .session
            .output(Exec::new(rm.chain(self.paths.drain(..))));
    }
}

impl Target for OwnMachine {
    fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    fn load(&self, module: &ReadyModule) -> Result<()> {
        let Prepared { session, tree, .. } = &self.prepared;
        let report = session
            .load_transient(&module.path, &module.name, &module.params)
            .map_err(|e| load_error(e, tree.as_ref()))?;
        parameters::check(&module.name, &module.file, &report)
    }

    fn run_command(&self, io: &CommandIo) -> Result<u8> {
        let Prepared {
            session, command, ..
        } = &self.prepared;
        self.staged.run(session, command, io)
    }

    fn outlives_run(&self) -> bool {
        true
    }
}
