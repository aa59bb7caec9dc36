// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs a program in a sandbox, from its start to its results.

use std::{
    io::{self, Read, Write},
    path::Path,
    process::{ChildStderr, ChildStdin, ChildStdout, Command, Output},
    thread,
};

use koru_error::{Error, IoContext, Kind, Result};

use crate::{
    Sandbox,
    bubblewrap::{self, MADE, READY},
    captured::Budget,
    growth::Growth,
    monitor::Running,
    work::Memory,
};

/// One of a program's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

impl Sandbox {
    /// Runs a program to its end, whatever its exit status. Of its command's environment, only
    /// what the command itself sets is passed on, and the search path and language of this
    /// process. `$HOME` and `/tmp` are empty, standard input is too.
    ///
    /// If output was dropped at the limit, a line at the end of stderr says so.
    ///
    /// # Errors
    ///
    /// [`Kind::Missing`] if bubblewrap or the program is missing, [`Kind::System`] if no
    /// sandbox can be made here, and [`Kind::Link`] if the program was ended at a limit, with
    /// its output so far.
    pub fn output(&self, command: &Command, attempted: &str) -> Result<Output> {
        self.output_with(command, attempted, &|_, _| {})
    }

    /// Runs a program as [`output`](Self::output) does, and passes on each part of its output as
    /// it comes.
    ///
    /// # Errors
    ///
    /// Those of [`output`](Self::output).
    pub fn output_with(
        &self,
        command: &Command,
        attempted: &str,
        seen: &(dyn Fn(Stream, &[u8]) + Sync),
    ) -> Result<Output> {
        // bubblewrap takes the end of this thread for that of its parent, so the thread stays.
        let (mut bwrap, filter) = bubblewrap::command(self, command, attempted)?;
        let mut child = bwrap.spawn().context(attempted)?;
        drop(filter);
        let input = child.stdin.take().expect("piped");
        let mut stdout = child.stdout.take().expect("piped");
        let mut stderr = child.stderr.take().expect("piped");
        let mut running = Running::new(child, self.limits.time).context(attempted)?;
        let disks: Vec<Growth> = self.writable.iter().map(|f| Growth::new(f)).collect();
        let memory = self.begin(&mut running, input, &mut stdout, &mut stderr, attempted)?;
        let budget = Budget::new(self.limits.output);
        let (ended, stdout, mut stderr) = thread::scope(|s| {
            let stdout = s.spawn(|| budget.read(stdout, &|part| seen(Stream::Stdout, part)));
            let stderr = s.spawn(|| budget.read(stderr, &|part| seen(Stream::Stderr, part)));
            let ended = running.wait(&self.limits, &memory, &disks);
            // If the wait failed, the readers would wait for the sandbox.
            drop(running);
            let read = |reader: thread::ScopedJoinHandle<Vec<u8>>| {
                reader.join().expect("a reader does not panic")
            };
            (ended, read(stdout), read(stderr))
        });
        let (status, exceeded) = ended.context(attempted)?;
        stderr.extend(budget.note().unwrap_or_default().into_bytes());
        if let Some(exceeded) = exceeded {
            let said = [stdout, stderr].concat();
            let mut error = Error::new(Kind::Link, attempted, exceeded.message(&self.limits));
            error.help = exceeded.help().map(str::to_owned);
            return Err(error.output(String::from_utf8_lossy(&said)));
        }
        if let (Some((from, _)), Some(work)) = (&self.work, memory.first()) {
            work.copy_back(from, self.limits.disk)?;
        }
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }

    /// Waits until the sandbox exists, opens its file systems, and starts the program.
    fn begin(
        &self,
        running: &mut Running,
        mut input: ChildStdin,
        stdout: &mut ChildStdout,
        stderr: &mut ChildStderr,
        attempted: &str,
    ) -> Result<Vec<Memory>> {
        for expected in [MADE, READY] {
            if said(running, stdout).context(attempted)? == Some(expected) {
                continue;
            }
            let mut why = String::new();
            if running.wait_readable(&*stderr).context(attempted)? {
                let _ = stderr.take(4096).read_to_string(&mut why);
            }
            if expected == MADE {
                return Err(bubblewrap::refusal(&why, attempted));
            }
            let limit = crate::captured::size(self.limits.disk);
            return Err(Error::new(
                Kind::System,
                attempted,
                format!("the files could not be copied into the sandbox, which holds {limit}"),
            )
            .output(why));
        }
        let program = running.find_processes().context(attempted)?;
        let work = self.work.as_ref().map(|(_, at)| at.as_path());
        let folders = work.into_iter().chain([Path::new("/tmp")]);
        let memory = folders
            .map(|at| Memory::open(program, at))
            .collect::<io::Result<_>>()
            .context(attempted)?;
        input.write_all(b"\n").context(attempted)?;
        Ok(memory)
    }
}

/// Reads a byte, or returns `None` at the end or when the time is over.
fn said(running: &Running, stdout: &mut ChildStdout) -> io::Result<Option<u8>> {
    let mut byte = [0];
    if running.wait_readable(&*stdout)? && stdout.read(&mut byte)? == 1 {
        return Ok(Some(byte[0]));
    }
    Ok(None)
}
