// SPDX-License-Identifier: MIT OR Apache-2.0

//! Serves a line from its beginning to its end.

use std::{
    io,
    sync::{Arc, Mutex, mpsc::channel},
    time::Duration,
};

use koru_protocol::{HEARTBEAT_MS, ToHost};
use rustix::process::setpriority_process;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::Signals,
};

use crate::{
    agent::Agent,
    calls::{in_guest, uptime_ms},
    children::Children,
    kmsg::{ALL, BOOT_LEVEL, Log},
    modules,
    process::CallProcess,
    script,
    serial::Line,
};

/// Serves the line, and returns only if the line can no longer be read.
pub fn serve(line: Line) -> io::Error {
    match start(Arc::new(line)) {
        Ok(agent) => {
            let end = agent.read_calls();
            leave(&agent);
            end
        }
        Err(error) => error,
    }
}

fn start(line: Arc<Line>) -> io::Result<Arc<Agent>> {
    if in_guest() {
        // The memory may be missing, or appear only later.
        let _ = line.share(false);
    }
    let log = Log::start(line.clone(), if in_guest() { BOOT_LEVEL } else { ALL })?;
    let agent = Arc::new(Agent {
        line,
        log,
        children: Children::start()?,
        inputs: Mutex::default(),
        running: Mutex::default(),
        transient_modules: Mutex::default(),
    });
    if in_guest() && std::env::var_os(koru_protocol::SCRIPTED).is_some() {
        script::wait_and_play(&agent)?;
    }
    if !in_guest() {
        leave_at_signals(&agent)?;
    }
    let beating = agent.clone();
    agent.line.send(&ToHost::Ready(agent.ready()));
    std::thread::Builder::new()
        .name("heartbeat".into())
        .spawn(move || {
            if in_guest() {
                // A thousand busy threads are not a hang, so this thread, alone, has a high
                // priority.
                let _ = setpriority_process(None, -20);
            }
            loop {
                std::thread::sleep(Duration::from_millis(HEARTBEAT_MS));
                let uptime_ms = uptime_ms();
                beating.line.send(&ToHost::Heartbeat { uptime_ms });
            }
        })?;
    Ok(agent)
}

/// Ends everything that runs for a host that is gone.
fn leave(agent: &Arc<Agent>) {
    /// How long unloading may take: a module whose exit does not return stays.
    const LIMIT: Duration = Duration::from_secs(10);
    agent.running().values().for_each(CallProcess::give_up);
    let agent = agent.clone();
    let (done, left) = channel();
    std::thread::spawn(move || {
        modules::unload_transient(&agent);
        done.send(())
    });
    let _ = left.recv_timeout(LIMIT);
}

/// Unloads transient modules when a signal ends the agent, on a real machine of the user's.
/// Signals of the terminal are not meant for the agent.
fn leave_at_signals(agent: &Arc<Agent>) -> io::Result<()> {
    let _ = rustix::process::setsid();
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    let agent = agent.clone();
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            leave(&agent);
            std::process::exit(1);
        }
    });
    Ok(())
}
