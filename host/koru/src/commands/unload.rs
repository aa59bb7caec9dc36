// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru unload`: unloads a module on a target that stays up.

use koru_error::Result;

use crate::{
    cli::UnloadArgs, context::Context, log::oops, run::module_step::module_step,
    target::session::connect,
};

pub fn unload(context: &Context, args: &UnloadArgs) -> Result<u8> {
    let session = connect(context, &args.target)?;
    oops::index_loaded_modules(context, &session);
    let name = match args.module.as_deref() {
        // A name need not be that of a module that can be built here.
        Some(name) if !name.contains('/') => name.trim_end_matches(".ko").replace('-', "_"),
        other => {
            let names: Vec<String> = other.iter().map(|m| m.to_string()).collect();
            let modules = context.modules(&names)?;
            let loaded = session.list()?;
            modules
                .iter()
                .find(|m| loaded.iter().any(|l| l.name == m.name))
                .or(modules.first())
                .map(|m| m.name.clone())
                .unwrap_or_default()
        }
    };
    module_step(context, &session, &format!("unloading {name}"), |s| {
        s.unload(&name)
    })
}
