// SPDX-License-Identifier: MIT OR Apache-2.0

//! The process behind a call.

use std::fs::File;

use koru_protocol::{Reply, TtySize};
use rustix::{
    process::{Pid, Signal, kill_process, kill_process_group},
    termios::{Winsize, tcsetwinsize},
};

use crate::answer::Answer;

/// A process behind a call.
pub struct CallProcess {
    pub pid: u32,
    pub(crate) master: Option<File>,
}

impl CallProcess {
    /// Creates the entry for a process without a terminal.
    pub fn without_tty(pid: u32) -> Self {
        CallProcess { pid, master: None }
    }

    /// Sends a signal to the process group.
    pub fn signal(&self, number: i32) -> Answer {
        let signal = Signal::from_named_raw(number).ok_or(libc::EINVAL)?;
        let pid = Pid::from_raw(self.pid as i32).ok_or(libc::ESRCH)?;
        // A process that is about to become the leader of its group may not be one yet.
        kill_process_group(pid, signal)
            .or_else(|_| kill_process(pid, signal))
            .map(|()| Reply::Done)
            .map_err(|e| e.raw_os_error())
    }

    /// Changes the size of the terminal, of which the kernel notifies its processes.
    pub fn resize(&self, size: TtySize) -> Answer {
        let master = self.master.as_ref().ok_or(libc::ENOTTY)?;
        tcsetwinsize(master, winsize(size))
            .map(|()| Reply::Done)
            .map_err(|e| e.raw_os_error())
    }

    /// Ends the process, for which nobody waits any more.
    pub fn give_up(&self) {
        let _ = self.signal(libc::SIGHUP);
        let _ = self.signal(libc::SIGKILL);
    }
}

pub(crate) fn winsize(size: TtySize) -> Winsize {
    Winsize {
        ws_row: size.rows,
        ws_col: size.cols,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}
