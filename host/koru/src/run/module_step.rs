// SPDX-License-Identifier: MIT OR Apache-2.0

//! Loads or unloads a module on a target that stays up, while the log is shown.

use koru_error::{Error, Result};
use koru_session::{LeftBehind, ModuleReport, Session};

use crate::{
    cli::TargetArgs,
    context::Context,
    failure::ErrorObject,
    guest::complaint_error,
    log::{oops, view::LogSink},
    run::{
        before_load::BeforeLoad,
        doing::Subject,
        left_behind,
        observe::observe,
        outcome::Record,
        waiting::{Ends, watched},
    },
    target::{
        load_error::load_error,
        parameters,
        traits::{Prepared, ReadyModule},
    },
    ui::json,
};

/// Unloads a module, shows what is logged meanwhile, and warns of what is left behind.
pub fn unload_step(
    context: &Context,
    session: &Session,
    target: &TargetArgs,
    name: &str,
) -> Result<u8> {
    let what = format!("unloading {name}");
    let kept = BeforeLoad::take(context, session, target, name);
    let left = || match &kept {
        Some(kept) => kept.left(session),
        None => Ok(LeftBehind::default()),
    };
    let unload = |session: &Session| session.unload(name).map_err(Error::from);
    step(context, session, name, &what, unload, left)
}

/// Loads a module, and shows what is logged meanwhile. What the kernel had before is kept for
/// the unload.
pub fn load_step(
    context: &Context,
    prepared: &Prepared,
    target: &TargetArgs,
    module: &ReadyModule,
) -> Result<u8> {
    let Prepared { session, tree, .. } = prepared;
    let what = format!("loading {}", module.name);
    let before = BeforeLoad::new(session)?;
    let mut loaded = None;
    let load = |session: &Session| {
        let report = session
            .load(&module.path, &module.params)
            .map_err(|e| load_error(e, tree.as_ref()))?;
        loaded = Some(report.clone());
        Ok(report)
    };
    let left = || Ok(LeftBehind::default());
    let status = step(context, session, &module.name, &what, load, left)?;
    if let Some(report) = loaded {
        if let Err(e) = parameters::check(&module.name, &module.file, &report) {
            // A module that does not do what was asked for is of no use.
            let _ = session.unload(&module.name);
            return Err(e);
        }
        before.keep(context, session, target, &module.name)?;
    }
    Ok(status)
}

/// Loads or unloads a module, as `act` does, and shows what is logged meanwhile and what is left
/// afterwards.
fn step(
    context: &Context,
    session: &Session,
    module: &str,
    what: &str,
    act: impl FnOnce(&Session) -> Result<ModuleReport>,
    left: impl FnOnce() -> Result<LeftBehind>,
) -> Result<u8> {
    let sink = if context.json {
        LogSink::Nowhere
    } else {
        LogSink::Stdout
    };
    let observed = observe(context, session, sink, || {
        let find = || Subject {
            modules: vec![module.to_owned()],
            before: None,
        };
        watched(context, session, &find, false, Ends::default(), || {
            act(session)
        })?;
        Ok(left_behind::named(context, session, left()?))
    })?;
    let complaint = observed.complaint.as_ref();
    let complaint = complaint.map(|c| complaint_error(what, c));
    if context.json {
        let error = observed.outcome.as_ref().err().or(complaint.as_ref());
        let error = error.map(ErrorObject::from);
        let records: Vec<_> = observed.log.iter().map(Record::from).collect();
        let decoded = oops::decoded(&oops::decoder(context), &observed.log);
        let left = observed.outcome.as_ref().map(|left| &left.entries);
        json(&serde_json::json!({
            "error": error,
            "log": records,
            "decoded": decoded,
            "left_behind": left.unwrap_or(&Vec::new()),
        }));
    }
    let left = observed.outcome?;
    if !context.json {
        left_behind::warn(context, &left);
    }
    match complaint {
        Some(complaint) => Err(complaint),
        None => Ok(0),
    }
}
