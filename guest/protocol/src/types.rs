// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is said.

use serde::{Deserialize, Serialize};

use crate::{LogRecord, Piece};

/// An errno value, positive. The kernel's own ones (517, ...) occur too.
pub type Errno = i32;

/// From the host to the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToGuest {
    /// Asks for something; answered by one [`ToHost::Reply`] with the same id.
    Call {
        /// Chosen by the caller, unique on the connection.
        id: u64,
        /// What is asked for.
        call: Call,
    },
    /// Bytes for a call under way: a file's content, a command's input.
    Data {
        /// The call they belong to.
        id: u64,
        /// At most [`crate::CHUNK`], or [`crate::SHARED_CHUNK`].
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// No more [`ToGuest::Data`] for this call.
    Eof {
        /// The call that it ends.
        id: u64,
    },
    /// The caller has gone: end the call (kill the command, drop the half file).
    Abandon {
        /// The call that nobody waits for any more.
        id: u64,
    },
    /// Messages that lie in the shared memory, packed.
    Shared(Piece),
}

/// From the agent to the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToHost {
    /// The agent is up. Sent once by itself, and as the reply to [`Call::Hello`].
    Ready(Ready),
    /// The answer to a call.
    Reply {
        /// The call's id.
        id: u64,
        /// What came of it.
        reply: Result<Reply, Errno>,
    },
    /// A command runs.
    Started {
        /// The call's id.
        id: u64,
        /// Its process id in the guest.
        pid: u32,
    },
    /// A command's output, or a file's content.
    Output {
        /// The call's id.
        id: u64,
        /// Which stream.
        stream: Stream,
        /// At most [`crate::CHUNK`], or [`crate::SHARED_CHUNK`].
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// A command took this many bytes of its input.
    Taken {
        /// The call's id.
        id: u64,
        /// How many.
        bytes: u32,
    },
    /// A record of the kernel log. They come in order, none left out.
    Log(LogRecord),
    /// The log's ring was overwritten before it was read: records are missing.
    LogLost,
    /// Messages that lie in the shared memory, packed.
    Shared(Piece),
    /// The agent is alive.
    Heartbeat {
        /// Milliseconds since the kernel started.
        uptime_ms: u64,
    },
    /// The guest is gone. Never sent by the agent: its owner tells its clients.
    Gone(Death),
    /// The agent powers the guest off, as asked. Nothing comes after it. How the machine
    /// then ends tells nothing: not every kernel lets the agent choose that.
    Leaving,
}

/// Where a command's output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    /// Standard output, a terminal's output, or a file's content.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What can be asked of the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// Who is there? Answered by [`Reply::Ready`].
    Hello,
    /// Writes a file: its content follows as data. Appears whole or not at all.
    PutFile {
        /// Absolute path; missing folders are made.
        path: String,
        /// Permission bits.
        mode: u32,
    },
    /// Reads a file: the content comes as output, then [`Reply::Done`].
    GetFile {
        /// Absolute path.
        path: String,
    },
    /// Runs a command; its input follows as data.
    Exec(Exec),
    /// Changes the window size of a command's terminal.
    Resize {
        /// The exec call.
        of: u64,
        /// The new size.
        size: TtySize,
    },
    /// Sends a signal to a command's process group.
    Signal {
        /// The exec call.
        of: u64,
        /// The signal's number.
        signal: i32,
    },
    /// Loads a module, as `insmod` does.
    Load {
        /// The `.ko` in the guest.
        path: String,
        /// `key=value` each.
        params: Vec<String>,
        /// The module's name, if it is to be unloaded when the caller goes.
        unload_on_disconnect: Option<String>,
    },
    /// Unloads a module, as `rmmod` does.
    Unload {
        /// The module's name.
        name: String,
    },
    /// The loaded modules.
    List,
    /// The kernel's taint bits.
    Taint,
    /// What the process behind a call is doing in the kernel.
    Look {
        /// A load, unload or exec call.
        of: u64,
    },
    /// Which tasks are in the code of a module, all but the process behind a call.
    Inside {
        /// The module's name, with underscores.
        module: String,
        /// A load or unload call.
        of: u64,
    },
    /// Answered when every log record up to now was sent.
    Mark,
    /// Sets the wall clock.
    SetTime {
        /// Seconds since 1970.
        seconds: i64,
        /// And nanoseconds.
        nanos: u32,
    },
    /// The first call after a saved machine goes on: what must not be as it was.
    /// Answered by [`Reply::Ready`].
    Resume {
        /// Seconds since 1970.
        seconds: i64,
        /// And nanoseconds.
        nanos: u32,
        /// For the kernel's random numbers. No two guests get the same.
        seed: [u8; 32],
        /// A cpio archive in the shared memory: files to unpack.
        files: Piece,
    },
    /// Ends the guest. Answered before it goes.
    PowerOff,
    /// Sends the log from this sequence number on, then every new record.
    /// Answered by the guest's owner.
    Follow {
        /// The first sequence number that is wanted.
        from: u64,
    },
    /// The guest hangs: find out where. Answered by the guest's owner.
    Hung {
        /// What was being done.
        what: String,
    },
}

/// A command to run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exec {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Variables added to the agent's environment.
    pub env: Vec<(String, String)>,
    /// Working directory; `/root` when not given.
    pub cwd: Option<String>,
    /// Whether input will be sent; else it reads from `/dev/null`.
    pub stdin: bool,
    /// Gives it a terminal of this size, of which it is the controlling process.
    pub tty: Option<TtySize>,
    /// Runs it as this user and the group of the same number; root when not given.
    pub uid: Option<u32>,
}

impl Exec {
    /// This program with these arguments, as root, with no input.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Exec {
            argv: argv.into_iter().map(Into::into).collect(),
            ..Exec::default()
        }
    }
}

/// Size of a terminal in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TtySize {
    /// Lines.
    pub rows: u16,
    /// Columns.
    pub cols: u16,
}

/// Answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// It was done, and there is nothing more to say.
    Done,
    /// Answer to [`Call::Hello`].
    Ready(Ready),
    /// The command ended.
    Exited(Exit),
    /// Answer to [`Call::Load`] and [`Call::Unload`].
    Module(ModuleOutcome),
    /// Answer to [`Call::List`].
    Modules(Vec<ModuleRow>),
    /// Answer to [`Call::Taint`].
    Taint(u64),
    /// Answer to [`Call::Look`].
    Look(Look),
    /// Answer to [`Call::Inside`].
    Inside(Vec<Inside>),
    /// Answer to [`Call::Mark`]: the sequence number that the next record gets.
    Marked(u64),
}

/// What the agent says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// [`crate::VERSION`] of the agent.
    pub protocol: u32,
    /// The agent's version.
    pub agent: String,
    /// `uname -r`.
    pub release: String,
    /// `uname -v`.
    pub version: String,
    /// Milliseconds since the kernel started.
    pub uptime_ms: u64,
    /// Whether it reads and writes the shared memory.
    pub shared: bool,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// By itself, with this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Exit {
    /// The status that a shell gives: the code, or 128 and the signal's number.
    pub fn status(self) -> i32 {
        match self {
            Exit::Code(code) => code,
            Exit::Signal(signal) => 128 + signal,
        }
    }

    /// Whether it is status 0.
    pub fn success(self) -> bool {
        self == Exit::Code(0)
    }
}

/// What came of loading or unloading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleOutcome {
    /// How it ended.
    pub result: ModuleResult,
    /// Sequence number of the first log record that belongs to it.
    pub log_from: u64,
    /// And of the first one after it. All before it were sent already.
    pub log_to: u64,
}

/// How loading or unloading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModuleResult {
    /// Well.
    Ok,
    /// The kernel refused it, or the module's own init did.
    Refused(Errno),
    /// The process that asked was killed by the kernel: an oops.
    Killed,
}

/// A line of `/proc/modules`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleRow {
    /// The module's name.
    pub name: String,
    /// Bytes of memory.
    pub size: u64,
    /// Its users, or `None` when the kernel cannot unload modules.
    pub refcount: Option<u64>,
    /// The modules that use it.
    pub used_by: Vec<String>,
    /// `Live`, `Loading` or `Unloading`.
    pub state: String,
    /// Taint letters, such as `OE`.
    pub taint: String,
}

impl ModuleRow {
    /// Reads a line of `/proc/modules`.
    ///
    /// ```
    /// let m = koru_protocol::ModuleRow::parse("x 16384 2 y,z, Live 0xffffffffc0000000 (OE)").unwrap();
    /// assert_eq!((m.used_by.join(" "), m.taint.as_str()), ("y z".into(), "OE"));
    /// ```
    pub fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_whitespace();
        Some(ModuleRow {
            name: fields.next()?.into(),
            size: fields.next()?.parse().ok()?,
            refcount: fields.next()?.parse().ok(),
            used_by: fields
                .next()?
                .split(',')
                .filter(|name| !matches!(*name, "" | "-" | "[permanent]"))
                .map(Into::into)
                .collect(),
            state: fields.next()?.into(),
            taint: fields.nth(1).unwrap_or("").trim_matches(['(', ')']).into(),
        })
    }
}

/// A process as the kernel sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// `R`, `S`, `D`, ...
    pub state: char,
    /// Milliseconds of processor time that it spent inside the kernel.
    pub kernel_ms: u64,
    /// Its kernel stack, one function a line, when it can be had.
    pub stack: String,
}

/// A task that is in the code of a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// The thread's number; that of the process, if it is its first.
    pub pid: u32,
    /// The name that `ps` shows.
    pub name: String,
    /// `R`, `S`, `D`, ...
    pub state: char,
    /// Its kernel stack, one function a line. Those that switch to another task, such as
    /// `mutex_lock`, are left out.
    pub stack: String,
}

/// How a guest came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Death {
    /// As asked.
    PoweredOff,
    /// The kernel panicked; the records since the last one that the agent sent
    /// were read from the console.
    Panicked {
        /// The panic's own line.
        reason: String,
        /// The log's end.
        records: Vec<LogRecord>,
    },
    /// It stopped answering, and was asked by NMI where it is.
    Hung {
        /// What was being done.
        what: String,
        /// The kernel's answer to the NMI, with the stack.
        records: Vec<LogRecord>,
    },
    /// The virtual machine ended without a word.
    Vanished {
        /// Exit status or signal, and what QEMU said.
        detail: String,
        /// The end of the console.
        console: String,
    },
}
