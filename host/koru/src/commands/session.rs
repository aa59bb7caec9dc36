//! What is done with a target that stays up: the virtual machine, or a machine
//! that is somebody's own.

use std::fs;

use koru_error::{Error, Result};
use koru_kernels::Progress;
use koru_session::Session;

use crate::{
    cli::{ExecArgs, LoadArgs, TargetArgs, UnloadArgs},
    commands::{
        run::{Loadable, loadable},
        vm,
    },
    context::Context,
    exec,
    guest::{complaint_error, module_path},
    log_view::{Follower, To, holds},
    machine::{self, Wanted, same_release},
    oops,
    target::Target,
    ui::{json, out, table},
};

pub fn load(context: &Context, args: &LoadArgs) -> Result<u8> {
    if args.target.target.is_vm() {
        let (session, module, path) = ready_in_vm(context, args)?;
        context.ui.done();
        return put_in(context, args, &session, &module, &path);
    }
    let ready = machine::prepare(
        context,
        &Wanted {
            module: args.module.as_deref(),
            kernel: &args.kernel,
            target: &args.target.target,
            yes: args.yes,
        },
    )?;
    let loaded = put_in(context, args, &ready.session, &ready.module, &ready.path);
    ready.clean_up();
    loaded
}

fn put_in(
    context: &Context,
    args: &LoadArgs,
    session: &Session,
    module: &Loadable,
    path: &str,
) -> Result<u8> {
    let what = format!("loading {}", module.name);
    step(context, session, &what, |s| s.load(path, &args.params))
}

/// The module built and put into the virtual machine, which is up then.
fn ready_in_vm(context: &Context, args: &LoadArgs) -> Result<(Session, Loadable, String)> {
    let vm = &args.target.vm;
    // Built for the kernel that is up, whatever the default is.
    let tree = match vm::connect(vm) {
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
    let session = vm::connect_or_start(context, &args.kernel, vm)?;
    context.ui.status(&format!("loading {}", module.name));
    let content = fs::read(&module.path).map_err(|e| Error::path("reading", &module.path, e))?;
    let inside = module_path(&module.name);
    session.put_file(&inside, 0o644, &content)?;
    Ok((session, module, inside))
}

/// The session of a target that is up.
pub fn connect(context: &Context, target: &TargetArgs) -> Result<Session> {
    match &target.target {
        Target::Vm => vm::connect(&target.vm),
        other => machine::connect(context, other),
    }
}

pub fn unload(context: &Context, args: &UnloadArgs) -> Result<u8> {
    let session = connect(context, &args.target)?;
    oops::know_loaded(context, &session);
    let name = match args.module.as_deref() {
        // A name need not be one that can be built here.
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
    step(context, &session, &format!("unloading {name}"), |s| {
        s.unload(&name)
    })
}

/// Loads or unloads, showing what is logged meanwhile.
fn step(
    context: &Context,
    session: &Session,
    what: &str,
    act: impl FnOnce(&Session) -> koru_session::Result<koru_session::ModuleReport>,
) -> Result<u8> {
    let before = session.taint()?;
    let mark = session.mark()?;
    let to = if context.json {
        To::Nowhere
    } else {
        To::Stdout
    };
    let follower = Follower::start(context, session, mark, to);
    let outcome = act(session);
    let log = follower.finish();
    if context.json {
        let records: Vec<_> = log.iter().map(super::run::Record::from).collect();
        let decoded = oops::decoded(&oops::decoder(context), &log);
        json(&serde_json::json!({ "log": records, "decoded": decoded }));
    }
    if let Err(e) = outcome {
        let mut e = Error::from(e);
        // The log was shown as it came.
        let told = e.output.as_ref().is_some_and(|o| holds(&log, o));
        if !matches!(to, To::Nowhere) && told {
            e.output = None;
        }
        return Err(e);
    }
    match session.complaint_since(mark, before)? {
        Some(complaint) => Err(complaint_error(what, &complaint)),
        None => Ok(0),
    }
}

pub fn list(context: &Context, args: &TargetArgs) -> Result<u8> {
    let rows = connect(context, args)?.list()?;
    if context.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|m| {
                serde_json::json!({
                    "name": m.name, "size": m.size, "used": m.refcount,
                    "by": m.used_by, "state": m.state, "taint": m.taint,
                })
            })
            .collect();
        json(&rows);
        return Ok(0);
    }
    out(&lsmod(&rows));
    Ok(0)
}

/// As lsmod prints them.
pub fn lsmod(rows: &[koru_protocol::ModuleRow]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|m| {
            let users = m.refcount.map_or("-".into(), |n| n.to_string());
            vec![
                m.name.clone(),
                m.size.to_string(),
                format!("{users} {}", m.used_by.join(",")),
            ]
        })
        .collect();
    table(&["Module", "Size", "Used by"], &rows)
}

pub fn exec(context: &Context, args: &ExecArgs) -> Result<u8> {
    exec::run(&connect(context, &args.target)?, &args.command)
}
