//! Guests as the commands use them: what is inside, and how their failures
//! are told.

use std::{path::Path, sync::Arc};

use koru_build::{Error, KernelTree, Kind, Report, Result, busybox};
use koru_vm::{Guest, GuestConfig, Initramfs};

use crate::{blocked, cli::MachineArgs, context::Context, log_view, needs, ui::Ui};

/// Where modules lie in a guest; `koru-testing` looks there too.
pub const MODULES: &str = "/lib/koru";

/// The files that every guest has: the agent, a shell, everyday commands.
fn base(context: &Context) -> Result<Initramfs> {
    let mut root = Initramfs::new();
    let busybox = busybox(&context.cache, &*context.ui)?;
    root.file("/init", needs::agent_path()?)
        .and_then(|r| r.busybox(&busybox))
        .map_err(vm_error)?;
    root.dir(MODULES);
    Ok(root)
}

/// Starts a guest of this kernel, with these files besides its own; tells its
/// progress.
pub fn start(
    context: &Context,
    tree: &KernelTree,
    files: Initramfs,
    machine: &MachineArgs,
) -> Result<Guest> {
    Guest::start(config(context, tree, files, machine)?).map_err(vm_error)
}

/// What such a guest is made of.
pub fn config(
    context: &Context,
    tree: &KernelTree,
    files: Initramfs,
    machine: &MachineArgs,
) -> Result<GuestConfig> {
    let image = tree.image.as_deref().ok_or_else(|| {
        Error::new(
            Kind::Missing,
            format!("starting a guest of {}", tree.release),
            "there is no kernel image beside this build directory",
        )
        .todo("`koru kernel list` shows which kernels boot; `koru kernel add 6.12` gets one")
    })?;
    let cache = context.cache.root().join("guest");
    let mut config = GuestConfig::new(image, cache, base(context)?);
    config.files = files;
    config.resume = std::env::var_os("KORU_BOOT").is_none();
    config.cpus = machine.cpus;
    config.memory_mb = machine.memory;
    config.in_turn = machine.in_turn;
    let ui: Arc<Ui> = context.ui.clone();
    config.on_event(move |event| match event {
        koru_vm::Event::FellBack { .. } => ui.print(&format!("koru: {event}")),
        _ => ui.status(&event.to_string()),
    });
    Ok(config)
}

/// The default machine.
pub fn machine() -> MachineArgs {
    MachineArgs {
        cpus: 1,
        memory: 256,
        in_turn: false,
    }
}

/// Where a module of this name lies in a guest.
pub fn module_path(name: &str) -> String {
    format!("{MODULES}/{name}.ko")
}

/// The name of the module in a `.ko` file.
pub fn ko_name(path: &Path) -> String {
    path.file_stem()
        .map(|s| s.to_string_lossy().replace('-', "_"))
        .unwrap_or_default()
}

/// A guest's failure in the words of the command line: with the log records
/// that explain it, and what to do.
pub fn vm_error(error: koru_vm::Error) -> Error {
    use koru_vm::Error as E;
    let records = error.records();
    let mut output: String = records
        .iter()
        .map(|r| log_view::line(r, false) + "\n")
        .collect();
    let (kind, attempted, wrong, todo) = match &error {
        E::NoQemu(_) => (
            Kind::Missing,
            "starting a guest".to_owned(),
            error.to_string(),
            Some("`koru setup` installs what is missing"),
        ),
        E::LoadFailed { module, errno, .. } => (
            Kind::System,
            format!("loading {module}"),
            koru_vm::errno_text(*errno),
            load_hint(*errno),
        ),
        E::UnloadFailed { module, errno, .. } => (
            Kind::System,
            format!("unloading {module}"),
            koru_vm::errno_text(*errno),
            match errno {
                2 => Some("it is not loaded: `koru list` shows what is"),
                11 => Some("something still uses it: `koru list` shows its users"),
                _ => None,
            },
        ),
        E::StillRegistered {
            what, complaint, ..
        } => (
            Kind::System,
            what.clone(),
            complaint.line.clone(),
            Some("the machine keeps the module until it starts anew (`koru vm stop`)"),
        ),
        E::Complaint {
            what, complaint, ..
        } => (
            Kind::System,
            what.clone(),
            format!("the kernel complained: {complaint}"),
            Some("the log above says where; after an oops the kernel cannot be trusted"),
        ),
        E::Panicked { reason, .. } => (
            Kind::System,
            "running the guest".to_owned(),
            format!("its kernel panicked: {reason}"),
            Some("the log above says where; nothing of this machine is harmed"),
        ),
        E::Hung { what, .. } => (
            Kind::System,
            what.clone(),
            "the guest hung and was asked where".to_owned(),
            Some("the stack in the log above names the function that does not end"),
        ),
        E::Timeout {
            what,
            after,
            stack,
            inside,
            records,
        } => {
            output = blocked::stacks(stack, inside);
            let wrong = format!("not done after {} s", after.as_secs());
            let reason = blocked::reason(inside);
            let reason = reason.or_else(|| koru_vm::overdue(records).map(str::to_owned));
            (
                Kind::System,
                what.clone(),
                reason.map_or(wrong.clone(), |reason| format!("{wrong}: {reason}")),
                blocked::hint(inside),
            )
        }
        E::Boot { why, console } => {
            output = console.clone();
            (
                Kind::System,
                "starting a guest".to_owned(),
                why.clone(),
                Some("KORU_ACCEL=tcg rules a broken KVM out"),
            )
        }
        E::Died { detail, console } => {
            output = console.clone();
            (
                Kind::System,
                "running the guest".to_owned(),
                detail.clone(),
                None,
            )
        }
        E::Target {
            attempted,
            wrong,
            todo,
            said,
        } => {
            let e = Error::new(Kind::System, attempted, wrong).output(log_view::visible(said));
            return match todo.is_empty() {
                true => e,
                false => e.todo(todo),
            };
        }
        E::NotServed(_) => (
            Kind::Usage,
            "talking to the virtual machine".to_owned(),
            "it is not up".to_owned(),
            Some("`koru vm start` starts it; `koru load` does, too"),
        ),
        E::InUse(_) => (
            Kind::Usage,
            "starting the virtual machine".to_owned(),
            "it is up already".to_owned(),
            Some("`koru vm stop` first, or give another one a name: --vm NAME"),
        ),
        E::Refused { what, errno } => (
            Kind::System,
            what.clone(),
            koru_vm::errno_text(*errno),
            None,
        ),
        _ => (
            Kind::System,
            "running the guest".to_owned(),
            error.to_string(),
            None,
        ),
    };
    let mut e = Error::new(kind, attempted, wrong).output(output);
    if let Some(todo) = todo {
        e = e.todo(todo);
    }
    e
}

/// What an errno of `finit_module` mostly means.
fn load_hint(errno: i32) -> Option<&'static str> {
    Some(match errno {
        8 => "the file is not a module of this kernel: build it for this one (--kernel)",
        17 => "it is loaded already: `koru unload` it first",
        22 => "a parameter's value is refused, or the module's init is: see the log",
        2 => "no such parameter, or a symbol that this kernel lacks: see the log",
        12 => "not enough memory: see the log, or give the guest more (--memory)",
        _ => "that is what the module's init returned: see the log",
    })
}

/// The error for a kernel that did what was asked, but complained meanwhile.
pub fn complaint_error(what: &str, complaint: &koru_vm::Complaint) -> Error {
    Error::new(
        Kind::System,
        what,
        format!("the kernel complained: {complaint}"),
    )
    .todo("the log above says where; after an oops the kernel cannot be trusted")
}
