// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs commands on the target.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, mpsc::Receiver},
    time::Duration,
};

use koru_protocol::{Call, Exec, Exit, Reply, STDIN_WINDOW, Stream, ToGuest, ToHost, TtySize};

use crate::{
    Result, Session,
    calls::{refused, unexpected},
    files::collect,
    waiting::Busy,
};

impl Session {
    /// Starts a command.
    pub fn exec(&self, exec: Exec) -> Result<Process> {
        let what = exec.argv.first().cloned().unwrap_or_default();
        let (id, events) = self.start_call_with_channel(Call::Exec(exec))?;
        let busy = self.busy(id, &what, true);
        Ok(Process {
            _busy: busy,
            call: Arc::new(CallInGuest {
                session: self.clone(),
                id,
                window: Mutex::new(STDIN_WINDOW),
                taken: Condvar::new(),
                over: Mutex::new(false),
            }),
            events,
            what,
        })
    }

    /// Runs a command to its end and collects its output.
    pub fn output(&self, exec: Exec) -> Result<Output> {
        let process = self.exec(exec)?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        loop {
            match process.next()? {
                ProcessEvent::Started(_) => {}
                ProcessEvent::Stdout(bytes) => collect(&mut stdout, &bytes, &process.what)?,
                ProcessEvent::Stderr(bytes) => collect(&mut stderr, &bytes, &process.what)?,
                ProcessEvent::Exited(exit) => {
                    return Ok(Output {
                        exit,
                        stdout,
                        stderr,
                    });
                }
            }
        }
    }
}

/// The result of a command that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How the command ended.
    pub exit: Exit,
    /// The standard output; with a terminal, all output.
    pub stdout: Vec<u8>,
    /// The standard error.
    pub stderr: Vec<u8>,
}

/// An event in the life of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessEvent {
    /// The command runs, with this process id.
    Started(u32),
    /// A piece of the standard output; with a terminal, of all output.
    Stdout(Vec<u8>),
    /// A piece of the standard error.
    Stderr(Vec<u8>),
    /// The command has ended. No other event follows.
    Exited(Exit),
}

/// A command on the target. The command is killed if this is dropped before its end.
pub struct Process {
    _busy: Busy,
    call: Arc<CallInGuest>,
    events: Receiver<ToHost>,
    what: String,
}

struct CallInGuest {
    session: Session,
    id: u64,
    window: Mutex<usize>,
    taken: Condvar,
    over: Mutex<bool>,
}

impl CallInGuest {
    fn signal(&self, signal: i32) -> Result<()> {
        let of = self.id;
        let call = Call::Signal { of, signal };
        self.session.ask("signal", call).map(drop)
    }
}

impl Process {
    /// Waits for the next event of the command.
    pub fn next(&self) -> Result<ProcessEvent> {
        loop {
            let event = self.events.recv().map_err(|_| {
                self.finish();
                self.call.session.death_error()
            })?;
            return Ok(match event {
                ToHost::Started { pid, .. } => ProcessEvent::Started(pid),
                ToHost::Output { stream, bytes, .. } => match stream {
                    Stream::Stdout => ProcessEvent::Stdout(bytes),
                    Stream::Stderr => ProcessEvent::Stderr(bytes),
                },
                ToHost::Taken { bytes, .. } => {
                    *lock(&self.call.window) += bytes as usize;
                    self.call.taken.notify_all();
                    continue;
                }
                ToHost::Reply { reply, .. } => {
                    self.finish();
                    match reply {
                        Ok(Reply::Exited(exit)) => ProcessEvent::Exited(exit),
                        Ok(_) => return Err(unexpected(&self.what)),
                        Err(errno) => return Err(refused(&self.what, errno)),
                    }
                }
                _ => continue,
            });
        }
    }

    /// Returns a writer for the command's input. The command must have been started with
    /// `stdin` or a terminal, and [`Process::next`] must be called meanwhile.
    pub fn stdin(&self) -> StdinWriter {
        StdinWriter {
            call: self.call.clone(),
        }
    }

    /// Sends a signal to the command and its children.
    pub fn signal(&self, signal: i32) -> Result<()> {
        self.call.signal(signal)
    }

    fn finish(&self) {
        *lock(&self.call.over) = true;
        self.call.taken.notify_all();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.finish();
        self.call.session.abandon(self.call.id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

/// A writer for a command's input, which blocks while the command does not read.
#[derive(Clone)]
pub struct StdinWriter {
    call: Arc<CallInGuest>,
}

impl StdinWriter {
    /// Changes the size of the command's terminal.
    pub fn resize(&self, size: TtySize) -> Result<()> {
        let of = self.call.id;
        let call = Call::Resize { of, size };
        self.call.session.ask("resize", call).map(drop)
    }

    /// Sends a signal to the command and its children.
    pub fn signal(&self, signal: i32) -> Result<()> {
        self.call.signal(signal)
    }

    /// Ends the command's input.
    pub fn close(&self) -> Result<()> {
        self.call.session.send(&ToGuest::Eof { id: self.call.id })
    }
}

impl Write for StdinWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let mut window = lock(&self.call.window);
        while *window == 0 {
            if *lock(&self.call.over) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            // The waits are short, because the end of the command is announced under another
            // lock.
            let limit = Duration::from_millis(200);
            let waited = self.call.taken.wait_timeout(window, limit);
            window = waited.unwrap_or_else(|e| e.into_inner()).0;
        }
        let length = bytes.len().min(*window).min(self.call.session.chunk());
        *window -= length;
        drop(window);
        let data = ToGuest::Data {
            id: self.call.id,
            bytes: bytes[..length].into(),
        };
        self.call.session.send(&data).map_err(io::Error::other)?;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
