// SPDX-License-Identifier: MIT OR Apache-2.0

//! Loads, unloads and lists modules, and looks at the processes that do so.

use std::{
    collections::hash_map::Entry,
    ffi::CString,
    fs::{self, File},
    io::{self, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, ExitCode, Stdio},
    sync::mpsc::channel,
    thread,
    time::Duration,
};

use koru_protocol::{Inside, Look, ModuleOutcome, ModuleResult, ModuleSections, Reply};
use rustix::{
    io::Errno,
    system::{delete_module, finit_module},
};

use crate::{
    agent::{Agent, TransientModule},
    answer::{Answer, errno},
    loaded::{loaded, sections_of},
    process::CallProcess,
    role::own_binary,
    slabs,
};

/// The role of the process that loads a module: `insmod PATH [PARAM]..`.
pub const LOAD: &str = "insmod";
/// The role of the process that unloads a module: `rmmod NAME`.
pub const UNLOAD: &str = "rmmod";

/// Registers a module that is about to be loaded as one that must not outlive the line.
/// Returns the name of the module, unless a module of this name is loaded already, which then
/// belongs to somebody else.
pub fn register_transient(agent: &Agent, name: Option<String>) -> Option<String> {
    let name = name.filter(|name| !Path::new("/sys/module").join(name).exists())?;
    match agent.transient_modules().entry(name.clone()) {
        Entry::Occupied(_) => None,
        Entry::Vacant(free) => {
            free.insert(TransientModule::Loading);
            Some(name)
        }
    }
}

/// Loads a module in a process of its own, so that an oops in the module's init kills only
/// that process.
pub fn load(
    agent: &Agent,
    id: u64,
    path: &str,
    params: &[String],
    transient: Option<String>,
) -> Answer {
    let mut command = own_binary(LOAD);
    command.arg(path).args(params);
    let answer = with_log(agent, || {
        in_child(agent, &mut command, |running| agent.enter(id, running))
    });
    let refused = |outcome: &ModuleOutcome| matches!(outcome.result, ModuleResult::Refused(_));
    if let Some(name) = transient {
        match &answer {
            Ok(Reply::Module(outcome)) if refused(outcome) => {
                agent.transient_modules().remove(&name)
            }
            // A process that was killed may have loaded the module nevertheless.
            _ => agent
                .transient_modules()
                .insert(name, TransientModule::Loaded),
        };
    }
    answer
}

/// Unloads a module in a process of its own, so that an oops in the module's exit kills only
/// that process.
pub fn unload(agent: &Agent, id: u64, name: &str) -> Answer {
    with_log(agent, || {
        unload_in_child(agent, name, |running| agent.enter(id, running))
    })
}

/// Unloads the modules that must not outlive the line, however long that takes.
pub fn unload_transient(agent: &Agent) {
    /// The pause between attempts: a module may still be loading, or its users may still be
    /// ending.
    const PAUSE: Duration = Duration::from_millis(50);
    loop {
        let transient = agent.transient_modules().clone();
        if transient.is_empty() {
            return;
        }
        for (name, _) in transient
            .iter()
            .filter(|(_, p)| **p == TransientModule::Loaded)
        {
            let _ = unload_in_child(agent, name, drop);
        }
        thread::sleep(PAUSE);
    }
}

fn unload_in_child(
    agent: &Agent,
    name: &str,
    started: impl FnOnce(CallProcess),
) -> Result<ModuleResult, koru_protocol::Errno> {
    slabs::look_at_all();
    let mut command = own_binary(UNLOAD);
    let result = in_child(agent, command.arg(name), started)?;
    if let ModuleResult::Ok | ModuleResult::Refused(libc::ENOENT) = result {
        agent.transient_modules().remove(name);
    }
    Ok(result)
}

fn in_child(
    agent: &Agent,
    command: &mut Command,
    started: impl FnOnce(CallProcess),
) -> Result<ModuleResult, koru_protocol::Errno> {
    command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let (exited, exits) = channel();
    let mut child = agent
        .children
        .spawn(command, Box::new(move |exit| _ = exited.send(exit)))
        .map_err(|e| errno(&e))?;
    started(CallProcess::without_tty(child.id()));
    let mut said = String::new();
    if let Some(out) = child.stdout.as_mut() {
        let _ = out.read_to_string(&mut said);
    }
    let _ = exits.recv();
    Ok(match said.trim().parse() {
        Ok(0) => ModuleResult::Ok,
        Ok(errno) => ModuleResult::Refused(errno),
        Err(_) => ModuleResult::Killed,
    })
}

/// Does `work`, and returns the result with the range of records that were logged meanwhile.
fn with_log(
    agent: &Agent,
    work: impl FnOnce() -> Result<ModuleResult, koru_protocol::Errno>,
) -> Answer {
    let log_from = agent.log.mark();
    let result = work()?;
    let log_to = agent.log.mark();
    Ok(Reply::Module(ModuleOutcome {
        result,
        log_from,
        log_to,
    }))
}

/// Loads a module in this process, and prints the errno: 0 for success.
pub fn load_here(args: &[String]) -> ExitCode {
    say(args
        .split_first()
        .ok_or(Errno::INVAL)
        .and_then(|(path, params)| {
            let file = File::open(path).map_err(|e| as_rustix(&e))?;
            let params = CString::new(params.join(" ")).map_err(|_| Errno::INVAL)?;
            finit_module(&file, &params, 0)
        }))
}

/// Unloads a module in this process, and prints the errno: 0 for success.
pub fn unload_here(args: &[String]) -> ExitCode {
    let name = CString::new(args.first().map_or("", String::as_str));
    slabs::before_unload();
    let unloaded = name
        .map_err(|_| Errno::INVAL)
        // As with rmmod, a module in use is refused at once and never waited for.
        .and_then(|name| delete_module(&name, libc::O_NONBLOCK));
    slabs::after_unload();
    say(unloaded)
}

fn say(result: rustix::io::Result<()>) -> ExitCode {
    println!("{}", result.map_or_else(|e| e.raw_os_error(), |()| 0));
    ExitCode::SUCCESS
}

fn as_rustix(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

/// Returns the loaded modules.
pub fn list() -> Answer {
    Ok(Reply::Modules(loaded().map_err(|e| errno(&e))?))
}

/// Returns where the module that was loaded last is in memory.
pub fn sections() -> Answer {
    let modules = loaded().map_err(|e| errno(&e))?;
    let newest = modules.into_iter().next().ok_or(libc::ENOENT)?;
    Ok(Reply::Sections(ModuleSections {
        sections: sections_of(&newest.name).map_err(|e| errno(&e))?,
        name: newest.name,
    }))
}

/// Returns the kernel's taint bits.
pub fn taint() -> Answer {
    let bits = match fs::read_to_string("/proc/sys/kernel/tainted") {
        Ok(text) => text.trim().parse().map_err(|_| libc::EIO)?,
        // A kernel without /proc: only its log tells what went wrong.
        Err(e) if e.kind() == io::ErrorKind::NotFound => 0,
        Err(e) => return Err(errno(&e)),
    };
    Ok(Reply::Taint(bits))
}

/// Returns the tasks that are in the code of a module, except for the process `but`.
pub fn inside(module: &str, but: Option<u32>) -> Answer {
    /// The largest number of tasks: a thousand processes need no thousand stacks.
    const MOST: usize = 100;
    let code = format!("[{module}]");
    let tasks = numbers("/proc")
        .filter(|pid| but != Some(*pid))
        .flat_map(|pid| numbers(&format!("/proc/{pid}/task")));
    let inside = tasks.filter_map(|pid| {
        let stack = fs::read_to_string(format!("/proc/{pid}/stack")).ok()?;
        if !stack.contains(&code) {
            return None;
        }
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        let Ok(Reply::Look(look)) = look(pid) else {
            return None;
        };
        Some(Inside {
            pid,
            name: name.trim_end().into(),
            state: look.state,
            stack,
        })
    });
    Ok(Reply::Inside(inside.take(MOST).collect()))
}

/// Returns the entries of a directory that are numbers.
pub fn numbers(directory: &str) -> impl Iterator<Item = u32> + use<> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Returns what a process is doing in the kernel.
pub fn look(pid: u32) -> Answer {
    /// The unit of `/proc`, which is a hundredth of a second on every x86 kernel.
    const MS_PER_TICK: u64 = 10;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|e| errno(&e))?;
    // The name before the closing bracket may contain anything.
    let (_, rest) = stat.rsplit_once(')').ok_or(libc::EIO)?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let state = fields.first().and_then(|s| s.chars().next());
    let ticks: Option<u64> = fields.get(12).and_then(|s| s.parse().ok());
    Ok(Reply::Look(Look {
        state: state.ok_or(libc::EIO)?,
        kernel_ms: ticks.ok_or(libc::EIO)? * MS_PER_TICK,
        stack: fs::read_to_string(format!("/proc/{pid}/stack")).unwrap_or_default(),
    }))
}
