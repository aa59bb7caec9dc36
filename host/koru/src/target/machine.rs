// SPDX-License-Identifier: MIT OR Apache-2.0

//! Loads modules on the user's own machines: this one, and those that ssh reaches.

use std::{fs, path::Path, sync::PoisonError};

use koru_error::{Error, Kind, Result};
use koru_kernels::{KernelTree, Progress};
use koru_protocol::Exec;
use koru_session::Session;

use crate::{
    cli::KernelChoice,
    context::Context,
    dependencies,
    loadable::{Loadable, loadable_for},
    target::{consent::agree, headers, name::Target, password::ask_password, preflight},
};

/// The folder for the module's file on a machine that ssh reaches.
const THERE: &str = "/run/koru";

/// Returns the session with a target other than `vm`. A connection is used again as long as it
/// works, so the password is asked for once.
pub fn connect(context: &Context, target: &Target) -> Result<Session> {
    let mut current = context
        .target_session
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(session) = current.as_ref().filter(|s| s.death().is_none()) {
        return Ok(session.clone());
    }
    let session = open_connection(context, target)?;
    Ok(current.insert(session).clone())
}

fn open_connection(context: &Context, target: &Target) -> Result<Session> {
    let agent = dependencies::agent_path()?;
    let Target::Ssh(machine) = target else {
        return koru_session::local(&agent);
    };
    let program = std::env::var("KORU_SSH").ok().filter(|p| !p.is_empty());
    let password = ask_password(context, machine.to_string());
    let status = |text: &str| context.ui.status(text);
    let session = machine.connect(program.as_deref(), &agent, &status, password);
    context.ui.done();
    session
}

/// A request to load a module.
pub struct LoadRequest<'a> {
    pub module: Option<&'a str>,
    pub kernel: &'a KernelChoice,
    pub target: &'a Target,
    /// Whether to load without asking the user.
    pub yes: bool,
}

/// A module that is on its machine and may be loaded.
pub struct PreparedModule {
    pub session: Session,
    pub module: Loadable,
    pub release: String,
    /// The path of the module on the machine.
    pub path: String,
    copied: bool,
}

impl PreparedModule {
    /// Removes the copy of the module from the machine.
    pub fn clean_up(&self) {
        if self.copied && self.session.death().is_none() {
            let _ = self.session.output(Exec::new(["rm", "-f", &self.path]));
        }
    }
}

/// Builds the module for the machine's own kernel, checks that the kernel will accept it, asks
/// the user, and copies the module to the machine.
pub fn prepare(context: &Context, request: &LoadRequest) -> Result<PreparedModule> {
    // A module that cannot be built should not cost a password first.
    if *request.target == Target::Host {
        let release = running();
        let module = build(context, request, &release, None)?;
        let session = connect(context, request.target)?;
        return admit(context, request, session, module, release);
    }
    let session = connect(context, request.target)?;
    let release = session.hello()?.release;
    let module = build(context, request, &release, Some(&session))?;
    admit(context, request, session, module, release)
}

fn running() -> String {
    let uname = rustix::system::uname();
    uname.release().to_string_lossy().into_owned()
}

fn build(
    context: &Context,
    request: &LoadRequest,
    release: &str,
    session: Option<&Session>,
) -> Result<Loadable> {
    let choice = request.kernel.or_environment();
    let tree = || match (choice.is_made(), session) {
        (true, _) => same_release(
            context.tree(&choice)?,
            release,
            format!("loading into {}", request.target.kernel_phrase()),
            "leave --kernel and --kdir out",
        ),
        (false, Some(session)) => headers::of_machine(context, session, request.target, release),
        (false, None) => own_headers(context, release),
    };
    let module = loadable_for(context, tree, request.module)?;
    context.ui.done();
    Ok(module)
}

/// Returns the installed headers of this machine's kernel.
fn own_headers(context: &Context, release: &str) -> Result<KernelTree> {
    let installed = KernelTree::open(Path::new(&format!("/lib/modules/{release}/build")));
    installed.or_else(|e| match context.kernels.exactly(release) {
        Some(tree) => tree,
        None => Err(e.help(format!(
            "install the kernel's headers: sudo apt-get install linux-headers-{release}"
        ))),
    })
}

pub fn same_release(
    tree: KernelTree,
    release: &str,
    attempted: String,
    help: &str,
) -> Result<KernelTree> {
    if tree.release == release {
        return Ok(tree);
    }
    let message = format!("it runs {release}, not {}", tree.release);
    Err(Error::new(Kind::Usage, attempted, message).help(help))
}

fn admit(
    context: &Context,
    request: &LoadRequest,
    session: Session,
    module: Loadable,
    release: String,
) -> Result<PreparedModule> {
    let place = request.target.kernel_phrase();
    preflight::check(&session, &module, &release, &place)?;
    if !request.yes {
        agree(context, request.target, &session, &module.name, &release)?;
    }
    let here = module.path.display().to_string();
    let (path, copied) = match request.target {
        Target::Ssh(machine) => {
            context
                .ui
                .status(&format!("copying {} to {machine}", module.name));
            let content =
                fs::read(&module.path).map_err(|e| Error::path("reading", &module.path, e))?;
            let path = format!("{THERE}/{}.ko", module.name);
            let put = session.put_file(&path, 0o600, &content);
            context.ui.done();
            put?;
            (path, true)
        }
        _ => (here, false),
    };
    Ok(PreparedModule {
        session,
        module,
        release,
        path,
        copied,
    })
}
