// SPDX-License-Identifier: MIT OR Apache-2.0

//! The virtual machine that stays up, which a background process owns.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::Progress;
use koru_qemu::Initramfs;
use koru_session::Session;
use koru_vm::Server;

use crate::{
    cli::{KernelChoice, MachineArgs, VmArgs, VmServeArgs},
    context::Context,
    guest::{self, module_path},
    loadable::loadable_modules,
    programs,
    target::{
        fresh_vm::{in_guest, run_in_guest},
        headers::same_release,
        request::{CommandIo, RunRequest},
        traits::{Prepared, Target},
    },
};

/// Returns the path of a virtual machine's socket. It is short, because the path of a unix
/// socket has at most 107 bytes.
pub fn socket(vm: &VmArgs) -> Result<PathBuf> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if vm.vm.is_empty() || vm.vm.len() > 32 || !vm.vm.chars().all(good) {
        return Err(Error::new(
            Kind::Usage,
            format!("naming a virtual machine `{}`", vm.vm),
            "a name has up to 32 letters, digits, - and _",
        ));
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let folder = match runtime.filter(|r| r.is_dir()) {
        Some(runtime) => runtime.join("koru"),
        None => std::env::temp_dir().join(format!("koru-{}", rustix::process::geteuid().as_raw())),
    };
    private(&folder)?;
    Ok(folder.join(format!("{}.sock", vm.vm)))
}

/// Makes a folder that only this user can access, and refuses one that belongs to somebody
/// else.
fn private(folder: &PathBuf) -> Result<()> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    let made = fs::DirBuilder::new().mode(0o700).create(folder);
    let meta = match made {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(e),
        _ => fs::symlink_metadata(folder),
    };
    let meta = meta.path_context("making", folder)?;
    let ours = meta.uid() == rustix::process::geteuid().as_raw();
    if !meta.is_dir() || !ours || meta.mode() & 0o077 != 0 {
        return Err(Error::new(
            Kind::System,
            format!("using {}", folder.display()),
            "it belongs to another user, or others can write to it",
        )
        .help("remove it, or set XDG_RUNTIME_DIR to a folder of your own"));
    }
    Ok(())
}

/// The virtual machine that stays up, with modules in it.
pub struct StandingVm {
    prepared: Prepared,
}

impl StandingVm {
    /// Builds the modules and copies them to the virtual machine, which is started if
    /// necessary.
    pub fn prepare(context: &Context, request: &RunRequest, vm: &VmArgs) -> Result<StandingVm> {
        let choice = &request.kernel;
        // The modules are built for the kernel that is running, whatever the default is.
        let tree = match connect(vm) {
            Ok(session) => {
                let release = session.hello()?.release;
                let at = format!("loading into the virtual machine `{}`", vm.vm);
                if has_oopsed(&session)? {
                    let message = "its kernel has oopsed, and cannot load modules any more";
                    return Err(Error::new(Kind::System, at, message).help(
                        "run `koru vm restart`, or load it with --fresh; until then, `koru log` \
                             shows the oops",
                    ));
                }
                let help = "run `koru vm stop` first, or start another one with --vm NAME";
                match choice.or_environment().is_made() {
                    true => same_release(context.tree(choice)?, &release, at, help)?,
                    false => context.kernels.find(Some(&release))?,
                }
            }
            Err(_) => context.tree(choice)?,
        };
        let (modules, build) = loadable_modules(context, || Ok(tree.clone()), &request.modules)?;
        let begun = Instant::now();
        let session = connect_or_start(context, choice, vm)?;
        for module in &modules {
            context.ui.status(&format!("loading {}", module.name));
            let content = fs::read(&module.path).path_context("reading", &module.path)?;
            session.put_file(&module_path(&module.name), 0o644, &content)?;
        }
        let prepared = Prepared {
            session,
            release: tree.release.clone(),
            tree: Some(tree),
            modules: in_guest(modules),
            command: request.command.clone(),
            build,
            start: begun.elapsed(),
        };
        Ok(StandingVm { prepared })
    }
}

impl Target for StandingVm {
    fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    fn run_command(&self, io: &CommandIo) -> Result<u8> {
        run_in_guest(&self.prepared, io)
    }

    fn outlives_run(&self) -> bool {
        true
    }
}

/// Returns whether the kernel of the virtual machine has oopsed.
pub fn has_oopsed(session: &Session) -> Result<bool> {
    /// The taint bit TAINT_DIE.
    const DIED: u64 = 1 << 7;
    Ok(session.taint()? & DIED != 0)
}

/// Returns the session with the virtual machine that stays up.
pub fn connect(vm: &VmArgs) -> Result<Session> {
    koru_session::connect(&socket(vm)?).map_err(Error::from)
}

/// Returns the session with the virtual machine that stays up, and starts it if necessary.
pub fn connect_or_start(context: &Context, kernel: &KernelChoice, vm: &VmArgs) -> Result<Session> {
    match koru_session::connect(&socket(vm)?) {
        Ok(session) => Ok(session),
        Err(koru_session::Error::NotServed(_)) => start(context, kernel, vm, &guest::machine()),
        Err(e) => Err(Error::from(e)),
    }
}

/// Stops the virtual machine if it is up. Returns the choice of the kernel that it ran.
pub fn stop(vm: &VmArgs) -> Result<Option<KernelChoice>> {
    match koru_session::connect(&socket(vm)?) {
        Ok(session) => {
            let ran = session
                .hello()
                .map(|ready| KernelChoice::named(ready.release));
            session.power_off()?;
            Ok(Some(ran.unwrap_or_default()))
        }
        Err(koru_session::Error::NotServed(_)) => Ok(None),
        Err(e) => Err(Error::from(e)),
    }
}

/// Starts the virtual machine again, with the kernel that is chosen or that it ran.
pub fn restart(
    context: &Context,
    kernel: &KernelChoice,
    vm: &VmArgs,
    machine: &MachineArgs,
) -> Result<Session> {
    let ran = stop(vm)?;
    // A build directory that is on no list can only be named again.
    let known = |ran: &KernelChoice| context.tree(ran).is_ok();
    match ran.filter(|ran| !kernel.or_environment().is_made() && known(ran)) {
        Some(ran) => start(context, &ran, vm, machine),
        None => start(context, kernel, vm, machine),
    }
}

/// Starts the process that owns the guest, and waits until it serves.
pub fn start(
    context: &Context,
    kernel: &KernelChoice,
    vm: &VmArgs,
    machine: &MachineArgs,
) -> Result<Session> {
    let socket = socket(vm)?;
    // What cannot work is better reported here than by the background process.
    let tree = context.tree(kernel)?;
    programs::build_all(context);
    let log = socket.with_extension("log");
    let file = File::create(&log).path_context("making", &log)?;
    let koru = std::env::current_exe().path_context("finding", &log)?;
    let mut command = Command::new(koru);
    command
        .args(["vm-serve", "--vm", &vm.vm, "--quiet"])
        .args(["--cpus", &machine.cpus.to_string()])
        .args(["--memory", &machine.memory.to_string()])
        .args(machine.append.iter().map(|words| format!("--append={words}")))
        .args(machine.harsh.then_some("--harsh"))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        .env_remove("KORU_KERNEL")
        .env_remove("KDIR")
        .env("KORU_ROOT", &context.home.root)
        // Neither Ctrl-C on the terminal nor the terminal's end is meant for this process.
        .process_group(0);
    match &kernel.kdir {
        Some(_) => command.arg("--kdir").arg(&tree.build_dir),
        None => command.arg("--kernel").arg(&tree.release),
    };
    let mut child = command
        .spawn()
        .path_context("starting the process behind", &socket)?;
    context
        .ui
        .status(&format!("starting a guest of {}", tree.release));
    let limit = Instant::now() + Duration::from_secs(120);
    loop {
        if let Ok(session) = koru_session::connect(&socket) {
            context.ui.done();
            return Ok(session);
        }
        let ended = child.try_wait().path_context("waiting for", &socket)?;
        if ended.is_some() || Instant::now() > limit {
            let _ = child.kill();
            let printed = fs::read_to_string(&log).unwrap_or_default();
            return Err(Error::new(
                Kind::System,
                "starting the virtual machine",
                "it did not start",
            )
            .output(printed));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Owns and serves the guest until it ends; this is what the background process does.
pub fn serve(context: &Context, args: &VmServeArgs) -> Result<u8> {
    let tree = context.tree(&args.kernel)?;
    // The socket comes first: of two processes that start at once, one finds it taken.
    let server = Server::bind(&socket(&args.vm)?)?;
    let mut root = Initramfs::new();
    programs::put(context, &mut root, &programs::names(&context.home.root))?;
    let guest = guest::start(context, &tree, root, &args.machine)?;
    server.run(guest)?;
    Ok(0)
}
