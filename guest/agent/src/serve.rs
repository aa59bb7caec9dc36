// SPDX-License-Identifier: MIT OR Apache-2.0

//! Serves a line from its begin to its end.

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

/// Serves the line. Returns only if it can no longer be read.
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
        // It may not be there, or only later.
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
                // A thousand busy threads are no hang. This is for the caller alone.
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

/// Ends what runs for a host that has gone.
fn leave(agent: &Arc<Agent>) {
    /// A module whose exit does not return is left.
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

/// On a machine that is somebody's own: what a terminal sends is not for us, and
/// who ends us must not be left with a module.
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
