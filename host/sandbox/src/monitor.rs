// SPDX-License-Identifier: MIT OR Apache-2.0

//! Watches a running sandbox, and ends it at its limits.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    process::{Child, ExitStatus},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};

use crate::{Limits, captured::size, growth::Growth, processes, work::Memory};

/// The time between two looks at what the processes use.
const INTERVAL: Duration = Duration::from_millis(50);

/// A limit that a program exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exceeded {
    Time,
    Memory,
    Processes,
    Disk,
}

impl Exceeded {
    /// Says what the program did.
    pub fn message(self, limits: &Limits) -> String {
        match self {
            Exceeded::Time => format!("timed out after {} s", limits.time.as_secs_f32()),
            Exceeded::Memory => format!("used more than {} of memory", size(limits.memory)),
            Exceeded::Processes => {
                format!("used more than {} processes and threads", limits.processes)
            }
            Exceeded::Disk => format!("wrote more than {}", size(limits.disk)),
        }
    }

    /// Says what the user can do about it.
    pub fn help(self) -> Option<&'static str> {
        (self == Exceeded::Time).then_some("`--build-limit SECONDS` gives it more time")
    }
}

/// bubblewrap, which is killed with everything in the sandbox when this value is dropped.
pub struct Running {
    child: Child,
    process: OwnedFd,
    /// Process 1 of the sandbox, when it is known.
    init: Option<(u32, OwnedFd)>,
    end: Instant,
    ended: bool,
}

impl Running {
    pub fn new(child: Child, time: Duration) -> io::Result<Running> {
        Ok(Running {
            process: pidfd(child.id())?,
            child,
            init: None,
            end: Instant::now() + time,
            ended: false,
        })
    }

    /// Waits until `file` can be read, or has no writer. Returns false at the limit of time.
    pub fn wait_readable(&self, file: impl AsFd) -> io::Result<bool> {
        while Instant::now() < self.end {
            if ready(&file, self.end - Instant::now())? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Finds the processes of the sandbox. Returns the number of the program's own.
    pub fn find_processes(&mut self) -> io::Result<u32> {
        let only_child = |of: u32| {
            let children = processes::children(of).1;
            let first = children.first().copied();
            first.ok_or_else(|| io::Error::other("bubblewrap has no child"))
        };
        let init = only_child(self.child.id())?;
        self.init = Some((init, pidfd(init)?));
        only_child(init)
    }

    /// Waits for the end of the program, which is ended at a limit. When this returns, no
    /// process of the sandbox is left.
    pub fn wait(
        &mut self,
        limits: &Limits,
        memory: &[Memory],
        disks: &[Growth],
    ) -> io::Result<(ExitStatus, Option<Exceeded>)> {
        let exceeded = loop {
            let now = Instant::now();
            if now >= self.end {
                break Some(Exceeded::Time);
            }
            if ready(&self.process, INTERVAL.min(self.end - now))? {
                break None;
            }
            let grown = disks.iter().any(|d| d.exceeds(limits.disk));
            if grown || memory.iter().any(Memory::is_full) {
                break Some(Exceeded::Disk);
            }
            let usage = self.init.as_ref().map(|(init, _)| processes::usage(*init));
            let usage = usage.unwrap_or_default();
            if usage.threads > limits.processes {
                break Some(Exceeded::Processes);
            }
            if usage.memory > limits.memory {
                break Some(Exceeded::Memory);
            }
        };
        self.kill();
        let status = self.child.wait()?;
        self.ended = true;
        // A write that failed has ended the program by itself, perhaps.
        let full = || !status.success() && memory.iter().any(Memory::is_full);
        Ok((
            status,
            exceeded.or_else(|| full().then_some(Exceeded::Disk)),
        ))
    }

    /// Kills everything in the sandbox, and waits for its end. When bubblewrap ends, the
    /// program has ended, but not yet what it started; process 1 ends after all others.
    fn kill(&mut self) {
        let kill = |process: &OwnedFd| pidfd_send_signal(process, Signal::KILL);
        // Before process 1 is known, nothing of the program has begun.
        if let Some((_, init)) = &self.init {
            let _ = kill(init);
            let _ = ready(init, Duration::from_secs(10));
            // Its exit status is worth waiting for.
            let _ = ready(&self.process, Duration::from_secs(1));
        }
        let _ = kill(&self.process);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            self.kill();
            let _ = self.child.wait();
        }
    }
}

fn pidfd(process: u32) -> io::Result<OwnedFd> {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::other("no such process"))?;
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}

/// Waits until a file is readable or closed at its other end, or the time is over.
fn ready(file: impl AsFd, time: Duration) -> io::Result<bool> {
    let mut files = [PollFd::new(&file, PollFlags::IN)];
    let time = Timespec::try_from(time).map_err(io::Error::other)?;
    match poll(&mut files, Some(&time)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(e) => Err(e.into()),
    }
}
