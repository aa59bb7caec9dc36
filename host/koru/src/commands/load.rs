// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru load` and `koru reload`: load a module on a target that stays up.

use koru_error::{Error, Kind, Result};

use crate::{
    cli::LoadArgs,
    context::Context,
    guest,
    log::oops,
    run::module_step::module_step,
    target::{
        name::TargetName, parameters, prepare, request::RunRequest, standing_vm, traits::Prepared,
    },
};

pub fn load(context: &Context, args: &LoadArgs) -> Result<u8> {
    refresh(context, args)?;
    load_into(
        context,
        prepare(context, &RunRequest::of_load(args))?.prepared(),
    )
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
            let what = format!("unloading {}", module.name);
            module_step(context, session, &what, |s| s.unload(&module.name))?;
        }
    }
    load_into(context, prepared)
}

fn load_into(context: &Context, prepared: &Prepared) -> Result<u8> {
    context.ui.done();
    for module in &prepared.modules {
        if prepared.is_there(module)? {
            continue;
        }
        let what = format!("loading {}", module.name);
        let session = &prepared.session;
        let mut loaded = None;
        module_step(context, session, &what, |session| {
            let report = session.load(&module.path, &module.params)?;
            loaded = Some(report.clone());
            Ok(report)
        })?;
        if let Some(Err(e)) =
            loaded.map(|report| parameters::check(&module.name, &module.file, &report))
        {
            // A module that does not do what was asked for is of no use.
            let _ = session.unload(&module.name);
            return Err(e);
        }
    }
    Ok(0)
}
