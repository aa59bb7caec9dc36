//! Takes calls from the line and hands them out.

use crate::{
    boot,
    children::Children,
    exec::Running,
    files,
    kmsg::{ALL, BOOT_LEVEL, Log},
    machine,
    modules::{self, Passing},
    resume, script,
    serial::{self, Line},
};
use koru_protocol::{
    Call, Decoder, Errno, HEARTBEAT_MS, Ready, Reply, ToGuest, ToHost, VERSION, unpack,
};
use rustix::{
    process::setpriority_process,
    time::{ClockId, Timespec},
};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::Signals,
};
use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard,
        mpsc::{Sender, channel},
    },
    time::Duration,
};

/// What one call answers.
pub type Answer = Result<Reply, Errno>;

/// Input for a call under way. The channel closes without `Eof` when the
/// caller has gone.
pub enum Input {
    /// Some bytes.
    Data(Vec<u8>),
    /// The end.
    Eof,
}

/// What all calls share.
pub struct Agent {
    pub line: Arc<Line>,
    pub log: Arc<Log>,
    pub children: Arc<Children>,
    inputs: Mutex<HashMap<u64, Sender<Input>>>,
    running: Mutex<HashMap<u64, Running>>,
    /// By their names.
    passing: Mutex<HashMap<String, Passing>>,
}

/// Serves the line. Returns only if it can no longer be read.
pub fn serve(line: Line) -> io::Error {
    match start(Arc::new(line)) {
        Ok(agent) => {
            let end = agent.read_calls();
            agent.leave();
            end
        }
        Err(error) => error,
    }
}

/// Whether this machine is a guest, and the agent's own. Else it is somebody's
/// real one.
fn in_guest() -> bool {
    rustix::process::getpid().is_init()
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
        passing: Mutex::default(),
    });
    if in_guest() && std::env::var_os(koru_protocol::SCRIPTED).is_some() {
        script::wait_and_play(&agent)?;
    }
    if !in_guest() {
        agent.leave_at_signals()?;
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

impl Agent {
    fn read_calls(self: &Arc<Self>) -> io::Error {
        let mut decoder = Decoder::default();
        let mut buffer = [0; 4096];
        loop {
            match self.line.read(&mut buffer) {
                Ok(0) => return io::ErrorKind::UnexpectedEof.into(),
                Ok(length) => decoder.feed(&buffer[..length], |message| self.take(message)),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error,
            }
        }
    }

    /// Ends what runs for a host that has gone.
    fn leave(self: &Arc<Self>) {
        /// A module whose exit does not return is left.
        const LIMIT: Duration = Duration::from_secs(10);
        self.running().values().for_each(Running::give_up);
        let agent = self.clone();
        let (done, left) = channel();
        std::thread::spawn(move || {
            modules::unload_passing(&agent);
            done.send(())
        });
        let _ = left.recv_timeout(LIMIT);
    }

    /// On a machine that is somebody's own: what a terminal sends is not for us, and
    /// who ends us must not be left with a module.
    fn leave_at_signals(self: &Arc<Self>) -> io::Result<()> {
        let _ = rustix::process::setsid();
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
        let agent = self.clone();
        std::thread::spawn(move || {
            if signals.forever().next().is_some() {
                agent.leave();
                std::process::exit(1);
            }
        });
        Ok(())
    }

    fn take(self: &Arc<Self>, message: ToGuest) {
        match message {
            ToGuest::Call { id, call } => self.call(id, call),
            ToGuest::Data { id, bytes } => {
                if let Some(input) = self.inputs().get(&id) {
                    let _ = input.send(Input::Data(bytes));
                }
            }
            ToGuest::Eof { id } => {
                if let Some(input) = self.inputs().remove(&id) {
                    let _ = input.send(Input::Eof);
                }
            }
            ToGuest::Abandon { id } => {
                self.inputs().remove(&id);
                if let Some(running) = self.running().get(&id) {
                    running.give_up();
                }
            }
            ToGuest::Shared(piece) => {
                let bytes = self.line.take(piece).unwrap_or_default();
                unpack(&bytes).for_each(|message| self.take(message));
            }
        }
    }

    /// Quick calls are answered here, in order; the others in a thread each.
    pub fn call(self: &Arc<Self>, id: u64, call: Call) {
        let answer = match call {
            Call::Hello => Ok(Reply::Ready(self.ready())),
            Call::Resize { of, size } => self.with_running(of, |r| r.resize(size)),
            Call::Signal { of, signal } => self.with_running(of, |r| r.signal(signal)),
            Call::Look { of } => self.with_running(of, |r| modules::look(r.pid)),
            // Reads the stack of each task: not here.
            Call::Inside { module, of } => {
                let but = self.running().get(&of).map(|running| running.pid);
                return self.in_thread(id, move |_| modules::inside(&module, but));
            }
            Call::List => modules::list(),
            Call::Taint => modules::taint(),
            Call::SetTime { .. } | Call::Resume { .. } | Call::PowerOff if !in_guest() => {
                Err(libc::EPERM)
            }
            Call::SetTime { seconds, nanos } => set_time(seconds, nanos),
            Call::Resume {
                seconds,
                nanos,
                seed,
                files,
            } => set_time(seconds, nanos)
                .and_then(|_| resume::resume(&self.line, seed, files))
                .map(|()| Reply::Ready(self.ready())),
            Call::PowerOff => {
                self.log.mark();
                self.reply(id, Ok(Reply::Done));
                self.line.send(&ToHost::Leaving);
                self.line.drain();
                machine::power_off(serial::STATUS_OK)
            }
            Call::Follow { .. } | Call::Hung { .. } => Err(libc::EOPNOTSUPP),
            Call::Mark => return self.in_thread(id, |agent| Ok(Reply::Marked(agent.log.mark()))),
            Call::GetFile { path } => {
                return self.in_thread(id, move |agent| files::get(agent, id, &path));
            }
            Call::PutFile { path, mode } => {
                let input = self.open_input(id);
                return self.in_thread(id, move |_| files::put(&path, mode, &input));
            }
            Call::Exec(exec) => {
                let input = (exec.stdin || exec.tty.is_some()).then(|| self.open_input(id));
                return self.in_thread(id, move |agent| crate::exec::run(agent, id, exec, input));
            }
            Call::Load {
                path,
                params,
                passing,
            } => {
                // At once: the line may end before it is there.
                let passing = modules::enter_passing(self, passing);
                return self.in_thread(id, move |agent| {
                    modules::load(agent, id, &path, &params, passing)
                });
            }
            Call::Unload { name } => {
                return self.in_thread(id, move |agent| modules::unload(agent, id, &name));
            }
        };
        self.reply(id, answer);
    }

    fn in_thread(
        self: &Arc<Self>,
        id: u64,
        work: impl FnOnce(&Arc<Agent>) -> Answer + Send + 'static,
    ) {
        let agent = self.clone();
        let started = std::thread::Builder::new().spawn(move || {
            let answer = work(&agent);
            agent.finish(id, answer);
        });
        if started.is_err() {
            self.reply(id, Err(libc::EAGAIN));
        }
    }

    fn ready(&self) -> Ready {
        let uname = rustix::system::uname();
        let text = |s: &std::ffi::CStr| s.to_string_lossy().into_owned();
        Ready {
            protocol: VERSION,
            agent: env!("CARGO_PKG_VERSION").into(),
            release: text(uname.release()),
            version: text(uname.version()),
            uptime_ms: uptime_ms(),
            shared: self.line.is_shared(),
        }
    }

    /// Answers a call that took its time.
    pub fn finish(&self, id: u64, answer: Answer) {
        self.inputs().remove(&id);
        self.running().remove(&id);
        self.reply(id, answer);
    }

    fn reply(&self, id: u64, reply: Answer) {
        self.line.send(&ToHost::Reply { id, reply });
    }

    fn open_input(&self, id: u64) -> std::sync::mpsc::Receiver<Input> {
        let (sender, receiver) = std::sync::mpsc::channel();
        self.inputs().insert(id, sender);
        receiver
    }

    /// Enters a process as the one behind a call.
    pub fn enter(&self, id: u64, running: Running) {
        self.running().insert(id, running);
    }

    fn with_running(&self, id: u64, ask: impl FnOnce(&Running) -> Answer) -> Answer {
        self.running().get(&id).map_or(Err(libc::ESRCH), ask)
    }

    fn inputs(&self) -> MutexGuard<'_, HashMap<u64, Sender<Input>>> {
        self.inputs.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub fn passing(&self) -> MutexGuard<'_, HashMap<String, Passing>> {
        self.passing.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn running(&self) -> MutexGuard<'_, HashMap<u64, Running>> {
        self.running.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// The errno of an error, for the host.
pub fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().unwrap_or(match error.kind() {
        io::ErrorKind::InvalidInput => libc::EINVAL,
        _ => libc::EIO,
    })
}

fn uptime_ms() -> u64 {
    let now = rustix::time::clock_gettime(ClockId::Boottime);
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

fn set_time(seconds: i64, nanos: u32) -> Answer {
    let time = Timespec {
        tv_sec: seconds,
        tv_nsec: nanos.into(),
    };
    rustix::time::clock_settime(ClockId::Realtime, time)
        .map(|()| Reply::Done)
        .map_err(|e| e.raw_os_error())
}

/// A command of the agent's own binary in another role.
pub fn own_binary(role: &str) -> std::process::Command {
    let mut command = std::process::Command::new("/proc/self/exe");
    command.arg(role).env_clear().env("PATH", boot::PATH);
    command
}
