//! What is done with a target that stays up: the virtual machine, or this
//! machine's own kernel.

use std::{fs, io::IsTerminal, path::Path};

use koru_build::{Error, KernelTree, Kind, Report, Result};
use koru_vm::Session;

use crate::{
    cli::{ExecArgs, LoadArgs, Target, TargetArgs, UnloadArgs},
    commands::{
        run::{Loadable, loadable, loadable_for},
        vm,
    },
    context::Context,
    exec,
    guest::{complaint_error, module_path, vm_error},
    log_view::{Follower, To, holds},
    needs::{self, Answer},
    oops,
    ui::{json, out, table},
};

pub fn load(context: &Context, args: &LoadArgs) -> Result<u8> {
    let (session, module, path) = match args.target.target {
        Target::Vm => ready_in_vm(context, args)?,
        Target::Host => ready_on_host(context, args)?,
    };
    context.ui.done();
    step(
        context,
        &session,
        &format!("loading {}", module.name),
        |s| s.load(&path, &args.params),
    )
}

/// The module built and put into the virtual machine, which is up then.
fn ready_in_vm(context: &Context, args: &LoadArgs) -> Result<(Session, Loadable, String)> {
    let vm = &args.target.vm;
    // Built for the kernel that is up, whatever the default is.
    let tree = match vm::connect(vm) {
        Ok(session) => {
            let release = session.hello().map_err(vm_error)?.release;
            let at = format!("loading into the virtual machine `{}`", vm.vm);
            let todo = "`koru vm stop` first, or give another one a name: --vm NAME";
            match args.kernel.or_environment().is_made() {
                true => same_release(context.tree(&args.kernel)?, &release, at, todo)?,
                false => context.kernels.find(Some(&release))?,
            }
        }
        Err(_) => context.tree(&args.kernel)?,
    };
    let module = loadable(context, &tree, args.module.as_deref())?;
    let session = vm::connect_or_start(context, &args.kernel, vm)?;
    context.ui.status(&format!("loading {}", module.name));
    let content = fs::read(&module.path).map_err(|e| Error::io("reading", &module.path, e))?;
    let inside = module_path(&module.name);
    session
        .put_file(&inside, 0o644, &content)
        .map_err(vm_error)?;
    Ok((session, module, inside))
}

/// The module built for this machine's own kernel, after the user said yes.
fn ready_on_host(context: &Context, args: &LoadArgs) -> Result<(Session, Loadable, String)> {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy().into_owned();
    let tree = || match args.kernel.or_environment().is_made() {
        true => same_release(
            context.tree(&args.kernel)?,
            &release,
            "loading into this machine's own kernel".into(),
            "leave --kernel and --kdir out",
        ),
        false => {
            KernelTree::open(Path::new(&format!("/lib/modules/{release}/build"))).map_err(|e| {
                e.todo(format!(
                    "install the kernel's headers: sudo apt-get install linux-headers-{release}"
                ))
            })
        }
    };
    let module = loadable_for(context, tree, args.module.as_deref())?;
    context.ui.done();
    if !args.yes {
        agree(&module.name, &release)?;
    }
    let session = koru_vm::local(&needs::agent_path()?).map_err(vm_error)?;
    let path = module.path.display().to_string();
    Ok((session, module, path))
}

/// A mistake in a module costs this machine, so its owner is asked.
fn agree(module: &str, release: &str) -> Result<()> {
    let question = format!(
        "load {module} into this machine's own kernel, {release}? A mistake in it can bring the \
         machine down."
    );
    let attempted = format!("loading {module} into this machine's own kernel");
    if !std::io::stdin().is_terminal() {
        return Err(
            Error::new(Kind::Usage, attempted, "there is no terminal to ask on")
                .todo("--yes loads without asking; without --target host it runs in a guest"),
        );
    }
    match needs::ask(&question, Answer::No) {
        true => Ok(()),
        false => Err(Error::new(Kind::Usage, attempted, "you said no")),
    }
}

fn same_release(
    tree: KernelTree,
    release: &str,
    attempted: String,
    todo: &str,
) -> Result<KernelTree> {
    if tree.release == release {
        return Ok(tree);
    }
    let wrong = format!("it runs {release}, not {}", tree.release);
    Err(Error::new(Kind::Usage, attempted, wrong).todo(todo))
}

/// The session of a target that is up.
pub fn connect(target: &TargetArgs) -> Result<Session> {
    match target.target {
        Target::Vm => vm::connect(&target.vm),
        Target::Host => koru_vm::local(&needs::agent_path()?).map_err(vm_error),
    }
}

pub fn unload(context: &Context, args: &UnloadArgs) -> Result<u8> {
    let session = connect(&args.target)?;
    oops::know_loaded(context, &session);
    let name = match args.module.as_deref() {
        // A name need not be one that can be built here.
        Some(name) if !name.contains('/') => name.trim_end_matches(".ko").replace('-', "_"),
        other => {
            let names: Vec<String> = other.iter().map(|m| m.to_string()).collect();
            let modules = context.modules(&names)?;
            let loaded = session.list().map_err(vm_error)?;
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
    act: impl FnOnce(&Session) -> koru_vm::Result<koru_vm::ModuleReport>,
) -> Result<u8> {
    let before = session.taint().map_err(vm_error)?;
    let mark = session.mark().map_err(vm_error)?;
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
        let mut e = vm_error(e);
        // The log was shown as it came.
        let told = e.output.as_ref().is_some_and(|o| holds(&log, o));
        if !matches!(to, To::Nowhere) && told {
            e.output = None;
        }
        return Err(e);
    }
    match session.complaint_since(mark, before).map_err(vm_error)? {
        Some(complaint) => Err(complaint_error(what, &complaint)),
        None => Ok(0),
    }
}

pub fn list(context: &Context, args: &TargetArgs) -> Result<u8> {
    let rows = connect(args)?.list().map_err(vm_error)?;
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
pub fn lsmod(rows: &[koru_vm::ModuleRow]) -> String {
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

pub fn exec(_: &Context, args: &ExecArgs) -> Result<u8> {
    exec::run(&connect(&args.target)?, &args.command)
}
