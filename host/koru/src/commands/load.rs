// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru load` and `koru reload`: load a module on a target that stays up.

use koru_error::{Error, Kind, Result};

use crate::{
    cli::LoadArgs,
    context::Context,
    guest,
    log::oops,
    run::module_step::{load_step, unload_step},
    target::{name::TargetName, prepare, request::RunRequest, standing_vm, traits::Prepared},
};

pub fn load(context: &Context, args: &LoadArgs) -> Result<u8> {
    refresh(context, args)?;
    let target = prepare(context, &RunRequest::of_load(args))?;
    load_into(context, args, target.prepared())
}

/// Replaces the virtual machine by a new one, if the user wants that.
fn refresh(context: &Context, args: &LoadArgs) -> Result<()> {
    match &args.target.target {
        _ if !args.fresh => {}
        TargetName::Vm => {
            let machine = guest::machine();
            standing_vm::restart(context, &args.kernel, &args.target.vm, &machine)?;
        }
        own => {
            let message = "only a virtual machine can be started afresh";
            let attempted = format!("loading into {}", own.kernel_phrase());
            return Err(Error::new(Kind::Usage, attempted, message).help("leave --fresh out"));
        }
    }
    Ok(())
}

/// Builds a module, unloads it if it is loaded, and loads it. A build that fails leaves the
/// loaded module alone.
pub fn reload(context: &Context, args: &LoadArgs) -> Result<u8> {
    refresh(context, args)?;
    let target = prepare(context, &RunRequest::of_load(args))?;
    context.ui.done();
    let prepared = target.prepared();
    let session = &prepared.session;
    oops::index_loaded_modules(context, session);
    let loaded = session.list()?;
    let is_loaded = |name: &str| loaded.iter().any(|m| m.name == name);
    for module in prepared.modules.iter().rev() {
        if !module.is_dependency && is_loaded(&module.name) {
            unload_step(context, session, &args.target, &module.name)?;
        }
    }
    load_into(context, args, prepared)
}

fn load_into(context: &Context, args: &LoadArgs, prepared: &Prepared) -> Result<u8> {
    context.ui.done();
    for module in &prepared.modules {
        if !prepared.is_there(module)? {
            load_step(context, prepared, &args.target, module)?;
        }
    }
    Ok(0)
}
