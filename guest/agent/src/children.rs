// SPDX-License-Identifier: MIT OR Apache-2.0

//! Starts processes and reaps them, orphans too.

use std::{
    collections::HashMap,
    io,
    process::{Child, Command},
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

use koru_protocol::Exit;
use rustix::process::{WaitId, WaitIdOptions, WaitOptions, wait, waitid};

type OnExit = Box<dyn FnOnce(Exit) + Send>;

/// The children of PID 1.
#[derive(Default)]
pub struct Children {
    waited_for: Mutex<HashMap<u32, OnExit>>,
    started: Condvar,
}

impl Children {
    /// Starts the thread that reaps children.
    pub fn start() -> io::Result<Arc<Self>> {
        let children = Arc::new(Children::default());
        let reaper = children.clone();
        std::thread::Builder::new()
            .name("reaper".into())
            .spawn(move || reaper.reap_for_ever())?;
        Ok(children)
    }

    /// Starts a command. The reaper calls `on_exit` when the command has ended.
    pub fn spawn(&self, command: &mut Command, on_exit: OnExit) -> io::Result<Child> {
        // While this holds the lock, the reaper takes no child: neither this child before it
        // is recorded, nor one whose exec failed, for which the standard library waits itself.
        let mut waited_for = self.lock();
        let child = command.spawn()?;
        waited_for.insert(child.id(), on_exit);
        self.started.notify_all();
        Ok(child)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, OnExit>> {
        self.waited_for.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn reap_for_ever(&self) {
        loop {
            // Wait until a child has ended, but do not reap it yet ...
            let ended = waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            let mut waited_for = self.lock();
            if ended.is_err() {
                // There are no children. The wait is limited because orphans become children
                // of PID 1 without notice.
                let limit = std::time::Duration::from_secs(1);
                drop(self.started.wait_timeout(waited_for, limit));
                continue;
            }
            // ... and reap all children while nobody starts one.
            let mut done = Vec::new();
            while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
                let exit = match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => Exit::Code(code),
                    (None, signal) => Exit::Signal(signal.unwrap_or(0)),
                };
                let pid = pid.as_raw_nonzero().get() as u32;
                done.extend(waited_for.remove(&pid).map(|on_exit| (on_exit, exit)));
            }
            drop(waited_for);
            for (on_exit, exit) in done {
                on_exit(exit);
            }
        }
    }
}
