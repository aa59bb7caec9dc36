// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru load`: loads a module on a target that stays up.

use koru_error::Result;

use crate::{
    cli::LoadArgs,
    context::Context,
    run::module_step::module_step,
    target::{parameters, prepare, request::RunRequest},
};

pub fn load(context: &Context, args: &LoadArgs) -> Result<u8> {
    let target = prepare(context, &RunRequest::of_load(args))?;
    context.ui.done();
    let prepared = target.prepared();
    for module in &prepared.modules {
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
