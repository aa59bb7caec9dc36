// SPDX-License-Identifier: MIT OR Apache-2.0

//! Watches a guest: finds out that it ended or hangs, and why.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use koru_error::IoContext;
use koru_klog::{console_records_after, first_complaint, hang_location, panic_reason};
use koru_protocol::Death;
use koru_qemu::{Console, Qemu, QemuExit, Qmp};
use koru_session::{Result, Session, SharedMemory, hang_limit};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

/// The exit status of isa-debug-exit after the agent's orderly end: 42 << 1 | 1. This is the
/// fast way to end; an agent that cannot take it has announced before that it ends the guest.
const POWERED_OFF: i32 = 85;

/// A command to the monitor.
pub(crate) enum MonitorCommand {
    Kill,
    /// Saves the state of the machine in this file, and ends the machine.
    Save(PathBuf, Sender<std::io::Result<()>>),
}

/// The monitor of a guest: watches the process and the heartbeats.
pub(crate) struct Monitor {
    session: Session,
    console: Console,
    console_thread: JoinHandle<()>,
    reader_ended: Receiver<()>,
    qmp: Option<Qmp>,
    pid: Pid,
    ended: Receiver<QemuExit>,
    commands: Receiver<MonitorCommand>,
    hangs: Receiver<String>,
}

impl Monitor {
    pub fn start(
        qemu: Qemu,
        shared: Option<SharedMemory>,
        console: Console,
        commands: Receiver<MonitorCommand>,
        hangs: Receiver<String>,
    ) -> Result<(Session, JoinHandle<()>)> {
        let console_thread = console.clone().read_from(qemu.console);
        let (reader_end, reader_ended) = channel();
        let session =
            Session::from_stream(qemu.protocol, shared, move |_| _ = reader_end.send(()))?;
        let mut monitor = Monitor {
            session: session.clone(),
            console,
            console_thread,
            reader_ended,
            qmp: Some(qemu.qmp),
            pid: qemu.pid,
            ended: qemu.ended,
            commands,
            hangs,
        };
        let thread = thread::Builder::new()
            .name("guest-monitor".into())
            .spawn(move || {
                let death = monitor.watch();
                let session = monitor.session.clone();
                drop(monitor);
                session.mark_dead(death);
            })
            .context("starting a thread")?;
        Ok((session, thread))
    }

    /// Watches the guest until it ends, and returns the cause of its death.
    fn watch(&mut self) -> Death {
        const TICK: Duration = Duration::from_millis(100);
        let limit = hang_limit();
        let mut silent = Duration::ZERO;
        let mut heard = None;
        let mut tick = Instant::now();
        loop {
            match self.ended.recv_timeout(TICK) {
                Ok(ended) => return self.post_mortem(&ended),
                Err(RecvTimeoutError::Disconnected) => {
                    return Death::Vanished {
                        detail: "QEMU is gone".into(),
                        console: self.console.tail(40),
                    };
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            match self.commands.try_recv() {
                Ok(MonitorCommand::Kill) | Err(TryRecvError::Disconnected) => return self.kill(),
                Ok(MonitorCommand::Save(path, done)) => {
                    let _ = done.send(self.save(&path));
                    return self.kill();
                }
                Err(TryRecvError::Empty) => {}
            }
            if let Ok(what) = self.hangs.try_recv() {
                return self.ask_by_nmi(what);
            }
            // While this process was stopped, the guest's silence does not count: ticks are
            // added up, none of which counts for longer than a few.
            silent += tick.elapsed().min(TICK * 5);
            tick = Instant::now();
            let now_heard = self.session.last_message_at();
            if now_heard != heard {
                heard = now_heard;
                silent = Duration::ZERO;
            }
            // Before the agent is running, the time limit of the boot applies.
            let hangs = silent > limit && !self.session.is_hang_detection_off();
            if hangs && self.session.ready().is_some() {
                let secs = limit.as_secs();
                return self.ask_by_nmi(format!("no sign of life for {secs} s"));
            }
        }
    }

    /// Writes the state of the machine, except for the memory, and stops the machine.
    fn save(&mut self, path: &Path) -> std::io::Result<()> {
        const LIMIT: Duration = Duration::from_secs(30);
        let mut qmp = self.qmp.take().ok_or(ErrorKind::BrokenPipe)?;
        // The machine runs until QEMU stops it, so the state says that it is running.
        qmp.ignore_shared()?;
        let path = path.to_string_lossy().replace('\'', "'\\''");
        qmp.run("migrate", json!({ "uri": format!("exec:cat > '{path}'") }))?;
        let until = Instant::now() + LIMIT;
        loop {
            let answer = qmp.run("query-migrate", json!({}))?;
            match answer["status"].as_str() {
                Some("completed") => return Ok(()),
                Some("failed" | "cancelled") => {
                    return Err(std::io::Error::other(answer.to_string()));
                }
                _ if Instant::now() > until => return Err(ErrorKind::TimedOut.into()),
                _ => thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    fn kill(&mut self) -> Death {
        let _ = kill_process(self.pid, Signal::KILL);
        match self.ended.recv() {
            // The guest ended before the signal came.
            Ok(ended) if ended.status.code() == Some(POWERED_OFF) => return Death::PoweredOff,
            Ok(ended) if ended.status.success() => return self.post_mortem(&ended),
            _ => {}
        }
        Death::Vanished {
            detail: "the guest was ended by its owner".into(),
            console: self.console.tail(40),
        }
    }

    /// Makes the kernel panic by an NMI, and so log where it hung.
    fn ask_by_nmi(&mut self, what: String) -> Death {
        /// The number of silences in a row, each of this length, that mean that the kernel
        /// does not answer.
        const SILENCES: u32 = 2;
        const SILENCE: Duration = Duration::from_secs(5);
        /// The limit for the whole answer, which ends with QEMU. The answer may be long and
        /// its line is slow, but a guest may also write for ever.
        const ANSWER: Duration = Duration::from_secs(60);
        let until = Instant::now() + ANSWER;
        let mut ended = None;
        let mut silences = 0;
        while ended.is_none() && silences < SILENCES && Instant::now() < until {
            let console = self.console.text();
            // Early in its boot a kernel ignores an NMI.
            if panic_reason(&console).is_none() && !self.inject_nmi() {
                break;
            }
            ended = self.ended.recv_timeout(SILENCE).ok();
            match self.console.text().len() == console.len() {
                true => silences += 1,
                false => silences = 0,
            }
        }
        if ended.is_none() {
            let _ = kill_process(self.pid, Signal::KILL);
            let _ = self.ended.recv();
        }
        self.drain();
        let console = self.console.text();
        let records = console_records_after(&console, self.session.last_record().as_ref());
        let place = hang_location(&records);
        Death::Hung {
            what: match place {
                Some(place) => format!("{what}, in {place}"),
                None => what,
            },
            records,
        }
    }

    fn inject_nmi(&mut self) -> bool {
        let ask = |qmp: &mut Qmp| qmp.ask("inject-nmi").is_ok();
        self.qmp.as_mut().is_some_and(ask)
    }

    fn post_mortem(&mut self, ended: &QemuExit) -> Death {
        self.drain();
        let console = self.console.text();
        if ended.status.code() == Some(POWERED_OFF) {
            return Death::PoweredOff;
        }
        if let Some(reason) = panic_reason(&console) {
            return Death::Panicked {
                reason,
                records: console_records_after(&console, self.session.last_record().as_ref()),
            };
        }
        if ended.status.success() && self.session.is_leaving() {
            return Death::PoweredOff;
        }
        let mut detail = ended.detail();
        if ended.status.success() {
            // -no-reboot turns any reset into an exit, a triple fault too.
            detail = "its kernel powered off or reset the machine by itself".into();
        }
        if let Some(complaint) = first_complaint(&self.session.log_since(0)) {
            detail += &format!(" after: {complaint}");
        }
        Death::Vanished {
            detail,
            console: self.console.tail(40),
        }
    }

    /// Waits until everything that QEMU wrote has been read. QEMU's ends are closed, so this
    /// takes milliseconds.
    fn drain(&mut self) {
        let limit = Duration::from_secs(2);
        let _ = self.reader_ended.recv_timeout(limit);
        let until = Instant::now() + limit;
        while !self.console_thread.is_finished() && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
    }
}
