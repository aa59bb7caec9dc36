// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru load`: loads a module on a target that stays up.

use std::fs;

use koru_error::{Error, Result};
use koru_kernels::Progress;
use koru_session::Session;

use crate::{
    cli::LoadArgs,
    context::Context,
    guest::module_path,
    loadable::{Loadable, loadable},
    run::module_step::module_step,
    target::{
        machine::{self, LoadRequest, same_release},
        standing_vm,
    },
};

pub fn load(context: &Context, args: &LoadArgs) -> Result<u8> {
    if args.target.target.is_vm() {
        let (session, module, path) = prepare_in_vm(context, args)?;
        context.ui.done();
        return load_into(context, args, &session, &module, &path);
    }
    let ready = machine::prepare(
        context,
        &LoadRequest {
            module: args.module.as_deref(),
            kernel: &args.kernel,
            target: &args.target.target,
            yes: args.yes,
        },
    )?;
    let loaded = load_into(context, args, &ready.session, &ready.module, &ready.path);
    ready.clean_up();
    loaded
}

fn load_into(
    context: &Context,
    args: &LoadArgs,
    session: &Session,
    module: &Loadable,
    path: &str,
) -> Result<u8> {
    let what = format!("loading {}", module.name);
    module_step(context, session, &what, |s| s.load(path, &args.params))
}

/// Builds the module and copies it to the virtual machine, which is started if necessary.
fn prepare_in_vm(context: &Context, args: &LoadArgs) -> Result<(Session, Loadable, String)> {
    let vm = &args.target.vm;
    // The module is built for the kernel that is running, whatever the default is.
    let tree = match standing_vm::connect(vm) {
        Ok(session) => {
            let release = session.hello()?.release;
            let at = format!("loading into the virtual machine `{}`", vm.vm);
            let help = "`koru vm stop` first, or give another one a name: --vm NAME";
            match args.kernel.or_environment().is_made() {
                true => same_release(context.tree(&args.kernel)?, &release, at, help)?,
                false => context.kernels.find(Some(&release))?,
            }
        }
        Err(_) => context.tree(&args.kernel)?,
    };
    let module = loadable(context, &tree, args.module.as_deref())?;
    let session = standing_vm::connect_or_start(context, &args.kernel, vm)?;
    context.ui.status(&format!("loading {}", module.name));
    let content = fs::read(&module.path).map_err(|e| Error::path("reading", &module.path, e))?;
    let inside = module_path(&module.name);
    session.put_file(&inside, 0o644, &content)?;
    Ok((session, module, inside))
}
