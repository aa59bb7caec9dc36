// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru unload`: unloads a module on a target that stays up.

use std::path::Path;

use koru_error::Result;
use koru_kbuild::{Source, module_name};

use crate::{
    cli::UnloadArgs, context::Context, log::oops, run::module_step::unload_step,
    target::session::connect,
};

pub fn unload(context: &Context, args: &UnloadArgs) -> Result<u8> {
    let session = connect(context, &args.target)?;
    oops::index_loaded_modules(context, &session);
    let name = match args.module.as_deref() {
        // A name need not be that of a module that can be built here.
        Some(name) if !name.contains('/') && !context.cwd.join(name).is_dir() => {
            module_name(Path::new(name))
        }
        other => {
            let names: Vec<String> = other.iter().map(|m| m.to_string()).collect();
            let sources = context.sources(&names)?;
            let mut known: Vec<String> = sources.iter().filter_map(Source::name).collect();
            if known.len() < sources.len() {
                // Only a build tells the names, and there has been one.
                let release = session.hello()?.release;
                let tree = || context.kernels.find(Some(&release));
                let (kos, _) = context.build_sources(tree, &sources)?;
                known = kos.into_iter().map(|ko| ko.name).collect();
            }
            let loaded = session.list()?;
            known
                .iter()
                .find(|name| loaded.iter().any(|l| l.name == **name))
                .or(known.first())
                .cloned()
                .unwrap_or_default()
        }
    };
    unload_step(context, &session, &args.target, &name)
}
