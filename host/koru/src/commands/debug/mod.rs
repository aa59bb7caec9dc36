// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru debug`: runs a module under gdb, from its init on.

mod kallsyms;
mod sections;

use std::{
    fs, panic,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, atomic::AtomicBool},
    thread::{self, JoinHandle},
};

use koru_error::{Error, Kind, Result};
use koru_kernels::{KernelTree, Progress};
use koru_protocol::{Death, Exec};
use koru_qemu::{GdbStub, Initramfs};
use koru_session::Session;
use koru_vm::Guest;

use crate::{
    cli::DebugArgs,
    context::Context,
    dependencies, exec,
    guest::{self, module_path},
    loadable::{Loadable, loadable},
    log::view::{Follower, LogSink},
    programs,
    run::observe::without_shown_log,
};
use kallsyms::{BEFORE_INIT, Functions};
use sections::{KoFile, Loaded};

pub fn debug(context: &Context, args: &DebugArgs) -> Result<u8> {
    dependencies::debugger(&*context.ui)?;
    let tree = context.tree(&args.kernel)?;
    let module = loadable(context, &tree, args.module.as_deref())?;
    let mut root = Initramfs::new();
    let mentioned = programs::mentioned(&context.home.root, &args.command);
    programs::build(context, &mentioned)?;
    programs::put(context, &mut root, &mentioned)?;
    root.file(&module_path(&module.name), &module.path)?;
    let folder = tempfile::Builder::new()
        .prefix("koru-debug.")
        .tempdir()
        .map_err(|e| Error::path("making a folder in", &std::env::temp_dir(), e))?;
    let socket = folder.path().join("gdb");
    let mut config = guest::config(context, &tree, root, &args.machine)?;
    config.gdb = Some(socket.clone());
    let guest = Guest::start(config)?;
    let session = guest.session();

    context.ui.status("reading the kernel's symbols");
    let text = session.get_file("/proc/kallsyms")?;
    let functions = Functions::read(&String::from_utf8_lossy(&text));
    let kernel = kernel_symbols(&tree, &functions, folder.path())?;

    let mark = session.mark()?;
    let follower = Follower::start(context, session, mark, LogSink::Stderr);
    context
        .ui
        .status(&format!("going to the init of {}", module.name));
    let run = Run::start(session, &module.name, args);
    let found = stop_at_init(&socket, &functions, &module, &run);
    context.ui.done();
    let placed = found.and_then(|loaded| place(&module, &loaded, folder.path()));
    let outcome = match placed {
        Ok(symbols) => {
            let mut gdb = gdb(args, kernel, &symbols, &socket);
            // Ctrl-C in gdb is meant for the guest, which gdb interrupts then.
            let interrupted = Arc::new(AtomicBool::new(false));
            let kept = signal_hook::flag::register(signal_hook::consts::SIGINT, interrupted);
            let status = gdb.status();
            let _ = kept.map(signal_hook::low_level::unregister);
            status
                .map(|s| s.code().and_then(|c| c.try_into().ok()).unwrap_or(1))
                .map_err(|e| Error::new(Kind::Missing, "starting gdb", e.to_string()))
        }
        Err(e) => Err(e),
    };
    guest.kill_handle()();
    let death = guest.wait();
    let log = follower.finish();
    let outcome = match death {
        // The run came to its end, whatever gdb's exit status is.
        Death::PoweredOff | Death::Panicked { .. } => run.end(),
        _ => outcome,
    };
    outcome.map_err(|e| without_shown_log(e, &log, LogSink::Stderr))
}

/// Returns the command that gives gdb the kernel's symbols: the kernel's debug info if this
/// machine has it, otherwise what the kernel itself lists.
fn kernel_symbols(tree: &KernelTree, functions: &Functions, folder: &Path) -> Result<String> {
    let release = &tree.release;
    let with_debug_info = [
        tree.build_dir.join("vmlinux"),
        // The packages of distributions use these paths.
        format!("/usr/lib/debug/boot/vmlinux-{release}").into(),
        format!("/usr/lib/debug/lib/modules/{release}/vmlinux").into(),
    ];
    for vmlinux in with_debug_info {
        match functions.distance(&vmlinux) {
            Some(0) => return Ok(format!("file {}", quoted(&vmlinux))),
            Some(distance) => {
                return Ok(format!("symbol-file -o {distance:#x} {}", quoted(&vmlinux)));
            }
            None => {}
        }
    }
    let vmlinux = folder.join("vmlinux");
    fs::write(&vmlinux, functions.elf()).map_err(|e| Error::path("writing", &vmlinux, e))?;
    Ok(format!("file {}", quoted(&vmlinux)))
}

/// The run that is debugged: it loads the module, runs a command, unloads the module and
/// powers the guest off.
struct Run(JoinHandle<Result<u8>>);

impl Run {
    fn start(session: &Session, name: &str, args: &DebugArgs) -> Run {
        let (session, name) = (session.clone(), name.to_owned());
        let (params, command) = (args.params.clone(), args.command.clone());
        let steps = move |session: &Session| {
            let path = module_path(&name);
            session.load(&path, &params)?;
            let mut status = 0;
            if !command.is_empty() {
                status = exec::run_alone(session, &command, Exec::default(), &exec::show)?;
            }
            session.unload(&name)?;
            Ok(status)
        };
        let work = move || {
            let outcome = steps(&session);
            // This ends gdb's connection as well.
            let _ = session.power_off();
            outcome
        };
        Run(thread::spawn(work))
    }

    fn is_over(&self) -> bool {
        self.0.is_finished()
    }

    /// Returns the outcome of the run.
    fn end(self) -> Result<u8> {
        self.0.join().unwrap_or_else(|e| panic::resume_unwind(e))
    }
}

/// Lets the guest run until the module's init is about to begin.
fn stop_at_init(
    socket: &Path,
    functions: &Functions,
    module: &Loadable,
    run: &Run,
) -> Result<Loaded> {
    let attempted = || format!("stopping at the init of {}", module.name);
    let failed = |e: std::io::Error| Error::new(Kind::System, attempted(), e.to_string());
    let before = functions.address(BEFORE_INIT).ok_or_else(|| {
        let message = format!("its kernel has no function `{BEFORE_INIT}`");
        Error::new(Kind::System, attempted(), message)
    })?;
    let bytes = fs::read(&module.path).map_err(|e| Error::path("reading", &module.path, e))?;
    let ko = KoFile::parse(&bytes)?;
    let mut stub = GdbStub::connect(socket).map_err(failed)?;
    let run_to = |stub: &mut GdbStub, address| {
        let reached = stub.run_to(address, &|| run.is_over()).map_err(failed)?;
        match reached {
            true => Ok(()),
            false => Err(Error::new(
                Kind::System,
                attempted(),
                "it was refused before that",
            )),
        }
    };
    run_to(&mut stub, before)?;
    let argument = stub.first_argument().map_err(failed)?;
    let loaded = ko.loaded(argument, |at, length| stub.read(at, length).map_err(failed))?;
    run_to(&mut stub, loaded.init)?;
    Ok(loaded)
}

/// Links the module's debug info for the addresses at which the module is.
fn place(module: &Loadable, loaded: &Loaded, folder: &Path) -> Result<PathBuf> {
    let debug = module.path.with_extension("ko.debug");
    let info = if debug.is_file() {
        &debug
    } else {
        &module.path
    };
    let script = folder.join("placed.ld");
    fs::write(&script, loaded.linker_script()).map_err(|e| Error::path("writing", &script, e))?;
    let placed = folder.join(format!("{}.ko", module.name));
    let mut ld = Command::new("ld");
    ld.args(["-m", "elf_x86_64", "--entry=0", "--no-check-sections"])
        // These are symbols of the kernel.
        .arg("--unresolved-symbols=ignore-all")
        .arg("-T")
        .arg(&script)
        .arg("-o")
        .arg(&placed)
        .arg(info);
    let attempted = format!("placing the debug info of {}", module.name);
    koru_kernels::run(&mut ld, &attempted)?;
    Ok(placed)
}

fn gdb(args: &DebugArgs, kernel: String, symbols: &Path, socket: &Path) -> Command {
    let mut gdb = Command::new("gdb");
    gdb.arg("-quiet");
    if args.batch {
        gdb.arg("-batch");
    }
    let mut command = |text: String| _ = gdb.args(["-ex", &text]);
    // Quitting gdb ends the guest, which nobody will miss.
    command("set confirm off".into());
    command(kernel);
    command(format!("add-symbol-file {}", quoted(symbols)));
    command(format!("target remote {}", socket.display()));
    for file in &args.script {
        gdb.arg("-x").arg(file);
    }
    for text in &args.command_of_gdb {
        gdb.args(["-ex", text]);
    }
    gdb
}

/// Quotes the name of a file for gdb.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('"', "\\\""))
}
