// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru load`: loads a module on a target that stays up.

use koru_error::Result;

use crate::{
    cli::LoadArgs,
    context::Context,
    run::module_step::module_step,
    target::{prepare, request::RunRequest},
};

pub fn load(context: &Context, args: &LoadArgs) -> Result<u8> {
    let target = prepare(context, &RunRequest::of_load(args))?;
    context.ui.done();
    let prepared = target.prepared();
    for module in &prepared.modules {
        let what = format!("loading {}", module.name);
        module_step(context, &prepared.session, &what, |session| {
            session.load(&module.path, &module.params)
        })?;
    }
    Ok(0)
}
