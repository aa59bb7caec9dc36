// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads calls from the line and dispatches them.

use std::{io, sync::Arc};

use koru_protocol::{Call, Decoder, Ready, Reply, ToGuest, ToHost, VERSION, unpack};
use rustix::time::{ClockId, Timespec};

use crate::{
    agent::{Agent, Input},
    answer::Answer,
    exec, file_users, files, inventory, machine, modules, resume, serial,
};

impl Agent {
    pub fn read_calls(self: &Arc<Self>) -> io::Error {
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
            ToGuest::Shared(slice) => {
                let bytes = self.line.take(slice).unwrap_or_default();
                unpack(&bytes).for_each(|message| self.take(message));
            }
        }
    }

    /// Answers a call. Quick calls are answered here, in order; each other call has a thread.
    pub fn call(self: &Arc<Self>, id: u64, call: Call) {
        let answer = match call {
            Call::Hello => Ok(Reply::Ready(self.ready())),
            Call::Resize { of, size } => self.with_running(of, |r| r.resize(size)),
            Call::Signal { of, signal } => self.with_running(of, |r| r.signal(signal)),
            Call::Look { of } => self.with_running(of, |r| modules::look(r.pid)),
            // This reads the stack of each task, which takes too long to do here.
            Call::Inside { module, of } => {
                let but = self.running().get(&of).map(|running| running.pid);
                return self.in_thread(id, move |_| modules::inside(&module, but));
            }
            Call::FileUsers { paths, of } => {
                let command = self.running().get(&of).map(|running| running.pid);
                return self.in_thread(id, move |_| file_users::find(&paths, command));
            }
            Call::Inventory => return self.in_thread(id, |_| inventory::take()),
            Call::List => modules::list(),
            Call::Sections => modules::sections(),
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
                return self.in_thread(id, move |agent| exec::run(agent, id, exec, input));
            }
            Call::Load {
                path,
                params,
                unload_on_disconnect,
            } => {
                // The module is registered at once, because the line may end before it is
                // loaded.
                let transient = modules::register_transient(self, unload_on_disconnect);
                return self.in_thread(id, move |agent| {
                    modules::load(agent, id, &path, &params, transient)
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

    pub fn ready(&self) -> Ready {
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
}

/// Returns whether this machine is a guest, which is the agent's own. Otherwise it is a real
/// machine of the user's.
pub fn in_guest() -> bool {
    rustix::process::getpid().is_init()
}

pub fn uptime_ms() -> u64 {
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
