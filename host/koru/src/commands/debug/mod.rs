// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru debug`: runs a module under gdb, from its init on.

mod kallsyms;
mod sections;
mod x86;

use std::{
    fs, panic,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, atomic::AtomicBool},
    thread,
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::{KernelTree, Progress};
use koru_protocol::Death;
use koru_qemu::GdbStub;

use crate::{
    cli::DebugArgs,
    context::Context,
    dependencies, exec,
    log::view::LogSink,
    run::{left_behind::Inventories, observe::observe_from, outcome::Timings, steps},
    target::{
        fresh_vm::FreshVm,
        request::{CommandIo, RunRequest},
        traits::{ReadyModule, Target},
    },
};
use kallsyms::{BEFORE_INIT, Functions};
use sections::{KoFile, Loaded};

pub fn debug(context: &Context, args: &DebugArgs) -> Result<u8> {
    dependencies::debugger(&*context.ui)?;
    let folder = tempfile::Builder::new()
        .prefix("koru-debug.")
        .tempdir()
        .path_context("making a folder in", &std::env::temp_dir())?;
    let socket = folder.path().join("gdb");
    let request = RunRequest::of_debug(args);
    let vm = FreshVm::prepare(context, &request, &args.machine, Some(&socket))?;
    let session = vm.prepared().session.clone();

    context.ui.status("reading the kernel's symbols");
    let text = session.get_file("/proc/kallsyms")?;
    let functions = Functions::read(&String::from_utf8_lossy(&text));
    let tree = context.tree(&request.kernel)?;
    let kernel = kernel_symbols(&tree, &functions, folder.path())?;

    let mark = session.mark()?;
    let observed = observe_from(context, &session, mark, LogSink::Stderr, || {
        let (run, gdb) = thread::scope(|scope| {
            let run = scope.spawn(|| run_all(&vm));
            let gdb = debug_run(context, args, &vm, (&functions, kernel, &socket), || {
                run.is_finished()
            });
            vm.kill();
            (run.join().unwrap_or_else(|e| panic::resume_unwind(e)), gdb)
        });
        let status = match vm.into_guest().wait() {
            // The run came to its end, whatever gdb's exit status is.
            Death::PoweredOff | Death::Panicked { .. } => run?,
            _ => gdb?,
        };
        Ok((status, None))
    });
    observed.outcome
}

/// Does all steps of the run and powers the guest off, which ends gdb's connection as well.
fn run_all(vm: &FreshVm) -> Result<u8> {
    let io = CommandIo {
        interactive: false,
        output: &exec::show,
    };
    let run = || {
        let baseline = vm.baseline()?;
        let mut none = Inventories::default();
        steps(vm, &baseline, &io, &mut none, &mut Timings::default())
    };
    let outcome = run();
    let _ = vm.prepared().session.power_off();
    outcome
}

/// Stops the guest at the module's init, and runs gdb there. Returns gdb's exit status.
fn debug_run(
    context: &Context,
    args: &DebugArgs,
    vm: &FreshVm,
    (functions, kernel, socket): (&Functions, String, &Path),
    is_over: impl Fn() -> bool,
) -> Result<u8> {
    let modules = &vm.prepared().modules;
    let (module, needed) = modules.split_last().expect("a run has a module");
    let status = format!("running to the init of {}", module.name);
    context.ui.status(&status);
    let loaded = stop_at_init(socket, functions, module, needed.len(), &is_over);
    context.ui.done();
    let folder = socket.parent().unwrap_or(Path::new("."));
    let symbols = place(module, &loaded?, folder)?;
    let mut gdb = gdb(args, kernel, &symbols, socket);
    // Ctrl-C in gdb is meant for the guest, which gdb interrupts then.
    let interrupted = Arc::new(AtomicBool::new(false));
    let kept = signal_hook::flag::register(signal_hook::consts::SIGINT, interrupted);
    let status = gdb.status();
    let _ = kept.map(signal_hook::low_level::unregister);
    status
        .map(|s| s.code().and_then(|c| c.try_into().ok()).unwrap_or(1))
        .map_err(|e| Error::new(Kind::Missing, "starting gdb", e.to_string()))
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
    fs::write(&vmlinux, functions.elf()).path_context("writing", &vmlinux)?;
    Ok(format!("file {}", quoted(&vmlinux)))
}

/// Lets the guest run until the module's init is about to begin, which is loaded after `needed`
/// other modules.
fn stop_at_init(
    socket: &Path,
    functions: &Functions,
    module: &ReadyModule,
    needed: usize,
    is_over: &dyn Fn() -> bool,
) -> Result<Loaded> {
    let attempted = || format!("stopping at the init of {}", module.name);
    let failed = |e: std::io::Error| Error::new(Kind::System, attempted(), e.to_string());
    let before = functions.address(BEFORE_INIT).ok_or_else(|| {
        let message = format!("its kernel has no function `{BEFORE_INIT}`");
        Error::new(Kind::System, attempted(), message)
    })?;
    let bytes = fs::read(&module.file).path_context("reading", &module.file)?;
    let ko = KoFile::parse(&bytes)?;
    let mut stub = GdbStub::connect(socket).map_err(failed)?;
    let run_to = |stub: &mut GdbStub, address| {
        let reached = stub.run_to(address, &|| is_over()).map_err(failed)?;
        match reached {
            true => Ok(()),
            false => Err(Error::new(
                Kind::System,
                attempted(),
                "the kernel refused the module before its init",
            )),
        }
    };
    for _ in 0..needed {
        run_to(&mut stub, before)?;
        stub.step().map_err(failed)?;
    }
    run_to(&mut stub, before)?;
    let argument = stub.first_argument().map_err(failed)?;
    let loaded = ko.loaded(argument, |at, length| stub.read(at, length).map_err(failed))?;
    run_to(&mut stub, loaded.init)?;
    Ok(loaded)
}

/// Links the module's debug info for the addresses at which the module is.
fn place(module: &ReadyModule, loaded: &Loaded, folder: &Path) -> Result<PathBuf> {
    let debug = module.file.with_extension("ko.debug");
    let info = if debug.is_file() {
        &debug
    } else {
        &module.file
    };
    let script = folder.join("placed.ld");
    fs::write(&script, loaded.linker_script()).path_context("writing", &script)?;
    let placed = folder.join(format!("{}.ko", module.name));
    let mut ld = Command::new("ld");
    ld.args(["-m", x86::LD_EMULATION, "--entry=0", "--no-check-sections"])
        // These are symbols of the kernel.
        .arg("--unresolved-symbols=ignore-all")
        .arg("-T")
        .arg(&script)
        .arg("-o")
        .arg(&placed)
        .arg(info);
    let attempted = format!("linking the debug info of {}", module.name);
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
