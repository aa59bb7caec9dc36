// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds out what a load, an unload or a command in progress waits for.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use crate::{Session, blocked, connection::BusyCall};

/// What is in progress, and where it is.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// What was asked for: `load my_timer`, or the command's name.
    pub what: String,
    /// How long it has taken so far.
    pub after: Duration,
    /// The task that is in a module's code, for a command: `cat, process 70`.
    pub task: Option<String>,
    is_command: bool,
    /// Whether the task is using a processor.
    pub runs: bool,
    /// The innermost place in a module, as `f+0x1/0x2 [m]`: where a call returns to.
    pub place: Option<String>,
}

impl Waiting {
    /// Returns whether a module is being loaded or unloaded.
    pub fn is_load(&self) -> bool {
        !self.is_command
    }
}

/// A mark that a call is in progress, until it is dropped.
pub(crate) struct Busy {
    session: Session,
    id: u64,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.session.state().busy.retain(|call| call.id != self.id);
    }
}

impl Session {
    /// Waits for loads and unloads without a limit as long as they sleep.
    pub fn be_patient(&self) {
        self.shared.patient.store(true, Ordering::Relaxed);
    }

    pub(crate) fn busy(&self, id: u64, what: &str, is_command: bool) -> Busy {
        self.state().busy.push(BusyCall {
            id,
            what: what.to_owned(),
            is_command,
            since: Instant::now(),
        });
        Busy {
            session: self.clone(),
            id,
        }
    }

    /// Returns what has been in progress for longest, if it has taken `least`. `modules` returns
    /// those in whose code a command can wait.
    pub fn waiting(
        &self,
        modules: impl FnOnce() -> Vec<String>,
        least: Duration,
    ) -> Option<Waiting> {
        let call = self.state().busy.first()?.clone();
        let after = call.since.elapsed();
        if after < least {
            return None;
        }
        let mut waiting = Waiting {
            what: call.what,
            is_command: call.is_command,
            after,
            task: None,
            runs: false,
            place: None,
        };
        if !call.is_command {
            // A guest that does not answer is not known to wait.
            let look = self.look(call.id).ok()?;
            waiting.runs = look.state == 'R';
            waiting.place = blocked::place(&look.stack).map(str::to_owned);
            return Some(waiting);
        }
        // The command may have started others, one of which is in the module's code.
        let inside = modules()
            .iter()
            .find_map(|module| self.inside(module, 0).ok()?.into_iter().next());
        if let Some(task) = inside {
            waiting.task = Some(format!("{}, process {}", task.name, task.pid));
            waiting.runs = task.state == 'R';
            waiting.place = blocked::place(&task.stack).map(str::to_owned);
        }
        Some(waiting)
    }
}
