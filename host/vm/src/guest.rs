// SPDX-License-Identifier: MIT OR Apache-2.0

//! A guest that this process owns.

use std::{
    io::ErrorKind,
    path::Path,
    sync::mpsc::{Sender, channel},
    thread::JoinHandle,
    time::Duration,
};

use koru_error::IoContext;
use koru_klog::evidence;
use koru_protocol::{Death, Ready};
use koru_qemu::{Accel, Console};
use koru_session::{Error, Result, Session};
use rustix::process::Pid;

use crate::monitor::MonitorCommand;

/// A running guest. It ends when this value is dropped, and when the process ends for any
/// reason.
pub struct Guest {
    pub(crate) session: Session,
    pub(crate) ready: Ready,
    pub(crate) accel: Accel,
    pub(crate) boot_time: Duration,
    pub(crate) console: Console,
    pub(crate) pid: Pid,
    pub(crate) commands: Sender<MonitorCommand>,
    pub(crate) monitor: Option<JoinHandle<()>>,
}

impl Guest {
    /// Records that the agent has answered.
    pub(crate) fn set_ready(&mut self, ready: Ready, after: Duration) {
        self.ready = ready;
        self.boot_time = after;
    }

    /// Saves the state of the guest's devices and ends the guest.
    pub(crate) fn save(mut self, state: &Path) -> Result<()> {
        let (done, outcome) = channel();
        let _ = self.commands.send(MonitorCommand::Save(state.into(), done));
        let outcome = outcome.recv().unwrap_or(Err(ErrorKind::BrokenPipe.into()));
        self.join();
        Ok(outcome.path_context("saving the snapshot in", state)?)
    }

    pub(crate) fn into_boot_error(mut self, limit: Duration) -> Error {
        if self.session.death().is_none() {
            let secs = limit.as_secs();
            let what = format!("its agent did not answer in {secs} s");
            self.session.report_hang_to_owner(&what);
            self.join();
        }
        let why = match self.session.death() {
            Some(Death::Panicked { reason, .. }) => format!("its kernel panicked: {reason}"),
            Some(Death::Vanished { detail, .. }) => detail,
            Some(Death::Hung { what, .. }) => what,
            Some(Death::PoweredOff) | None => "it powered itself off".into(),
        };
        Error::Boot {
            why,
            console: evidence(&self.console.text()),
        }
    }

    /// Returns the session with the guest's agent.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Returns what the agent reported about itself.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Returns what executes the guest's instructions.
    pub fn accel(&self) -> Accel {
        self.accel
    }

    /// Returns the time from the start of QEMU until the agent answered.
    pub fn boot_time(&self) -> Duration {
        self.boot_time
    }

    /// Returns QEMU's process id.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get() as u32
    }

    /// Returns what the guest wrote to its console. That is little: what the kernel considers
    /// important, and what was written to `/dev/console`.
    pub fn console(&self) -> String {
        self.console.text()
    }

    /// Returns a function that ends the guest at once, and that any thread may call.
    pub fn kill_handle(&self) -> impl FnOnce() + Send + 'static {
        let commands = self.commands.clone();
        move || _ = commands.send(MonitorCommand::Kill)
    }

    /// Powers the guest off in an orderly way.
    pub fn power_off(self) -> Result<()> {
        self.session.power_off()
    }

    fn join(&mut self) {
        if let Some(monitor) = self.monitor.take() {
            let _ = monitor.join();
        }
    }

    /// Waits for the end of the guest.
    pub fn wait(mut self) -> Death {
        self.join();
        self.session.death().unwrap_or(Death::PoweredOff)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.commands.send(MonitorCommand::Kill);
        self.join();
    }
}
