//! Loading, unloading and listing modules, and looking at who does it.

use crate::{
    agent::{Agent, Answer, errno, own_binary},
    exec::Running,
};
use koru_protocol::{Exit, Look, ModuleOutcome, ModuleResult, ModuleRow, Reply};
use rustix::{
    io::Errno,
    system::{delete_module, finit_module},
};
use std::{
    ffi::CString,
    fs::{self, File},
    io::{self, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, ExitCode, Stdio},
    sync::{Arc, mpsc::channel},
    thread,
    time::{Duration, Instant},
};

/// Role of the process that loads: `insmod PATH [PARAM]..`.
pub const LOAD: &str = "insmod";
/// Role of the process that unloads: `rmmod NAME`.
pub const UNLOAD: &str = "rmmod";

/// Loads a module in a process of its own: an oops in its init kills that one.
pub fn load(
    agent: &Arc<Agent>,
    id: u64,
    path: &str,
    params: &[String],
    passing: Option<&str>,
) -> Answer {
    let mut command = own_binary(LOAD);
    command.arg(path).args(params);
    // Before it is there: the line may end while it loads. One that was there is
    // somebody else's.
    let is_new = |name: &&str| !Path::new("/sys/module").join(name).exists();
    agent
        .passing()
        .extend(passing.filter(is_new).map(str::to_owned));
    let answer = in_child(agent, id, &mut command);
    let refused = |outcome: &ModuleOutcome| matches!(outcome.result, ModuleResult::Refused(_));
    if matches!(&answer, Ok(Reply::Module(outcome)) if refused(outcome)) {
        agent.passing().retain(|p| Some(p.as_str()) != passing);
    }
    answer
}

/// Unloads the modules that must not outlive the line.
pub fn unload_passing(agent: &Agent) {
    /// For a module that still loads, or whose users still end.
    const LIMIT: Duration = Duration::from_secs(10);
    let begun = Instant::now();
    for name in std::mem::take(&mut *agent.passing()) {
        let Ok(name) = CString::new(name) else {
            continue;
        };
        while let Err(Errno::AGAIN | Errno::BUSY) = delete_module(&name, libc::O_NONBLOCK) {
            if begun.elapsed() > LIMIT {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Unloads a module likewise.
pub fn unload(agent: &Arc<Agent>, id: u64, name: &str) -> Answer {
    let mut command = own_binary(UNLOAD);
    command.arg(name);
    agent.passing().retain(|p| p != name);
    in_child(agent, id, &mut command)
}

fn in_child(agent: &Arc<Agent>, id: u64, command: &mut Command) -> Answer {
    command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let log_from = agent.log.mark();
    let (exited, exits) = channel();
    let mut child = agent
        .children
        .spawn(command, Box::new(move |exit| _ = exited.send(exit)))
        .map_err(|e| errno(&e))?;
    agent.enter(id, Running::without_tty(child.id()));
    let mut said = String::new();
    if let Some(out) = child.stdout.as_mut() {
        let _ = out.read_to_string(&mut said);
    }
    let exit = exits.recv().unwrap_or(Exit::Signal(0));
    let result = match (said.trim().parse(), exit) {
        (Ok(0), _) => ModuleResult::Ok,
        (Ok(errno), _) => ModuleResult::Refused(errno),
        (Err(_), _) => ModuleResult::Killed,
    };
    let log_to = agent.log.mark();
    Ok(Reply::Module(ModuleOutcome {
        result,
        log_from,
        log_to,
    }))
}

/// The process that loads: says the errno, 0 when it went well.
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

/// The process that unloads: likewise.
pub fn unload_here(args: &[String]) -> ExitCode {
    let name = CString::new(args.first().map_or("", String::as_str));
    say(name
        .map_err(|_| Errno::INVAL)
        // As rmmod: a module in use is refused at once, never waited for.
        .and_then(|name| delete_module(&name, libc::O_NONBLOCK)))
}

fn say(result: rustix::io::Result<()>) -> ExitCode {
    println!("{}", result.map_or_else(|e| e.raw_os_error(), |()| 0));
    ExitCode::SUCCESS
}

fn as_rustix(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

/// The loaded modules.
pub fn list() -> Answer {
    let text = fs::read_to_string("/proc/modules").map_err(|e| errno(&e))?;
    Ok(Reply::Modules(
        text.lines().filter_map(ModuleRow::parse).collect(),
    ))
}

/// The kernel's taint bits.
pub fn taint() -> Answer {
    let text = fs::read_to_string("/proc/sys/kernel/tainted").map_err(|e| errno(&e))?;
    let bits = text.trim().parse().map_err(|_| libc::EIO)?;
    Ok(Reply::Taint(bits))
}

/// What a process does in the kernel.
pub fn look(pid: u32) -> Answer {
    /// `/proc` counts in hundredths of a second on every x86 kernel.
    const MS_PER_TICK: u64 = 10;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|e| errno(&e))?;
    // The name before the closing bracket may hold anything.
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
