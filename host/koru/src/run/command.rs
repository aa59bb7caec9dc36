// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs a command on a target that stays up, with modules that earlier commands have loaded.

use std::{io::IsTerminal, sync::Arc};

use koru_error::Result;
use koru_session::Session;

use crate::{
    cli::TargetArgs,
    context::Context,
    log::oops::index_loaded_modules,
    run::{
        before_load::BeforeLoad,
        doing::Subject,
        waiting::{Ends, watched},
    },
};

/// Does `work`, which runs a command, while it is watched: if it waits in a module, koru says
/// where.
pub fn watched_command(
    context: &Context,
    session: &Session,
    target: &TargetArgs,
    work: impl FnOnce() -> Result<u8>,
) -> Result<u8> {
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    // The user may load modules meanwhile, so each look finds them again.
    let find = || {
        let loaded = session.list().unwrap_or_default().into_iter();
        // The kernel's own modules have files of their own, which commands may read for ever.
        let modules: Vec<String> = loaded
            .filter(|row| row.taint.contains('O'))
            .map(|row| row.name)
            .collect();
        if modules.is_empty() {
            return Subject::default();
        }
        index_loaded_modules(context, session);
        let before = BeforeLoad::of_all(context, session, target, &modules);
        Subject {
            modules,
            before: before.map(Arc::new),
        }
    };
    watched(context, session, &find, terminal, Ends::default(), work)
}
