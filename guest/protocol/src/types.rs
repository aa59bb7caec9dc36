// SPDX-License-Identifier: MIT OR Apache-2.0

//! The messages.

use serde::{Deserialize, Serialize};

use crate::{FileUser, LogRecord, RingSlice};

/// An errno as a positive number. The kernel's own ones (517, ...) occur as well.
pub type Errno = i32;

/// A message from the host to the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToGuest {
    /// Asks for something. The agent answers with one [`ToHost::Reply`] of the same id.
    Call {
        /// The id that the caller chose, unique on the connection.
        id: u64,
        /// The call.
        call: Call,
    },
    /// Bytes for a call in progress: the content of a file, the input of a command.
    Data {
        /// The id of the call that the bytes belong to.
        id: u64,
        /// The bytes: at most [`crate::CHUNK`], or [`crate::SHARED_CHUNK`].
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// Says that no more [`ToGuest::Data`] follows for a call.
    Eof {
        /// The id of the call.
        id: u64,
    },
    /// Ends a call whose caller is gone: kills the command, removes the partial file.
    Abandon {
        /// The id of the call that nobody waits for any more.
        id: u64,
    },
    /// Refers to packed messages in the shared memory.
    Shared(RingSlice),
}

/// A message from the agent to the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToHost {
    /// Says that the agent is running. The agent sends this once by itself.
    Ready(Ready),
    /// Answers a call.
    Reply {
        /// The call's id.
        id: u64,
        /// The result.
        reply: Result<Reply, Errno>,
    },
    /// Says that a command is running.
    Started {
        /// The call's id.
        id: u64,
        /// The process id of the command on the target.
        pid: u32,
    },
    /// Carries output of a command, or content of a file.
    Output {
        /// The call's id.
        id: u64,
        /// The stream that the bytes come from.
        stream: Stream,
        /// The bytes: at most [`crate::CHUNK`], or [`crate::SHARED_CHUNK`].
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// Says that a command took bytes of its input.
    Taken {
        /// The call's id.
        id: u64,
        /// The number of bytes.
        bytes: u32,
    },
    /// Carries a record of the kernel log. Records come in order, and none is left out.
    Log(LogRecord),
    /// Says that records are missing, because the log's ring was overwritten before it was
    /// read.
    LogLost,
    /// Refers to packed messages in the shared memory.
    Shared(RingSlice),
    /// Says that the agent is alive.
    Heartbeat {
        /// The time in milliseconds since the kernel started.
        uptime_ms: u64,
    },
    /// Says that the guest is gone. The guest's owner sends this to its clients; the agent
    /// never does.
    Gone(Death),
    /// Says that the agent powers the guest off, as asked. Nothing follows. How the machine
    /// then ends says nothing, because not every kernel lets the agent choose that.
    Leaving,
}

/// The stream that output comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    /// Standard output, a terminal's output, or a file's content.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A call of the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// Asks the agent about itself. The answer is [`Reply::Ready`].
    Hello,
    /// Writes a file, whose content follows as data. The file appears either completely or not
    /// at all.
    PutFile {
        /// The absolute path. Missing folders are made.
        path: String,
        /// The permission bits.
        mode: u32,
    },
    /// Reads a file. The content comes as output, then [`Reply::Done`].
    GetFile {
        /// The absolute path.
        path: String,
    },
    /// Runs a command, whose input follows as data.
    Exec(Exec),
    /// Changes the window size of a command's terminal.
    Resize {
        /// The id of the exec call.
        of: u64,
        /// The new size.
        size: TtySize,
    },
    /// Sends a signal to a command's process group.
    Signal {
        /// The id of the exec call.
        of: u64,
        /// The signal's number.
        signal: i32,
    },
    /// Loads a module, as `insmod` does.
    Load {
        /// The path of the `.ko` on the target.
        path: String,
        /// The parameters, each as `key=value`.
        params: Vec<String>,
        /// The name of the module, if it is to be unloaded when the caller disconnects.
        unload_on_disconnect: Option<String>,
    },
    /// Unloads a module, as `rmmod` does.
    Unload {
        /// The module's name.
        name: String,
    },
    /// Asks for the loaded modules.
    List,
    /// Asks for the kernel's taint bits.
    Taint,
    /// Asks what the process behind a call is doing in the kernel.
    Look {
        /// The id of a load, unload or exec call.
        of: u64,
    },
    /// Asks which tasks are in the code of a module, except for the process behind a call.
    Inside {
        /// The module's name, with underscores.
        module: String,
        /// The id of a load or unload call.
        of: u64,
    },
    /// Asks which processes have some files open, and how much they read and write.
    FileUsers {
        /// The files, or the folders that they are in.
        paths: Vec<String>,
        /// The id of an exec call, whose streams are told from other pipes.
        of: u64,
    },
    /// Asks where the module that was loaded last is in memory.
    Sections,
    /// Asks for what a module could leave behind.
    Inventory,
    /// Asks for an answer when every log record up to now has been sent.
    Mark,
    /// Sets the wall clock.
    SetTime {
        /// The seconds since 1970.
        seconds: i64,
        /// The nanoseconds of the current second.
        nanos: u32,
    },
    /// Gives a guest what is specific to it; the first call after it was resumed from a
    /// snapshot. The answer is [`Reply::Ready`].
    Resume {
        /// The seconds since 1970.
        seconds: i64,
        /// The nanoseconds of the current second.
        nanos: u32,
        /// The seed for the kernel's random numbers. No two guests get the same seed.
        seed: [u8; 32],
        /// A cpio archive in the shared memory, with files to unpack.
        files: RingSlice,
    },
    /// Powers the guest off. The agent answers before that.
    PowerOff,
    /// Asks for the log from a sequence number on, then for every new record. The guest's
    /// owner answers this.
    Follow {
        /// The first sequence number that is wanted.
        from: u64,
    },
    /// Says that the guest hangs, and asks where. The guest's owner answers this.
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
    /// The variables that are added to the agent's environment.
    pub env: Vec<(String, String)>,
    /// The working directory, by default `/root`.
    pub cwd: Option<String>,
    /// Whether input will be sent. Otherwise the command reads from `/dev/null`.
    pub stdin: bool,
    /// The size of the terminal that the command gets as its controlling terminal, if any.
    pub tty: Option<TtySize>,
    /// The user, and the group of the same number, that the command runs as; by default root.
    pub uid: Option<u32>,
}

impl Exec {
    /// Describes a program with its arguments, run as root and without input.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Exec {
            argv: argv.into_iter().map(Into::into).collect(),
            ..Exec::default()
        }
    }
}

/// The size of a terminal in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TtySize {
    /// The number of lines.
    pub rows: u16,
    /// The number of columns.
    pub cols: u16,
}

/// The successful answer to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The call was done, and there is nothing more to say.
    Done,
    /// The answer to [`Call::Hello`] and [`Call::Resume`].
    Ready(Ready),
    /// The answer to [`Call::Exec`]: the command ended.
    Exited(Exit),
    /// The answer to [`Call::Load`] and [`Call::Unload`].
    Module(ModuleOutcome),
    /// The answer to [`Call::List`].
    Modules(Vec<ModuleRow>),
    /// The answer to [`Call::Taint`].
    Taint(u64),
    /// The answer to [`Call::Look`].
    Look(Look),
    /// The answer to [`Call::Inside`].
    Inside(Vec<Inside>),
    /// The answer to [`Call::FileUsers`].
    FileUsers(Vec<FileUser>),
    /// The answer to [`Call::Sections`].
    Sections(ModuleSections),
    /// The answer to [`Call::Inventory`].
    Inventory(Inventory),
    /// The answer to [`Call::Mark`]: the sequence number that the next record gets.
    Marked(u64),
}

/// What the agent reports about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The [`crate::VERSION`] of the agent.
    pub protocol: u32,
    /// The agent's version.
    pub agent: String,
    /// The kernel's release, as `uname -r` prints it.
    pub release: String,
    /// The kernel's version, as `uname -v` prints it.
    pub version: String,
    /// The time in milliseconds since the kernel started.
    pub uptime_ms: u64,
    /// Whether the agent reads and writes the shared memory.
    pub shared: bool,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// The command ended by itself, with this status.
    Code(i32),
    /// The command was ended by this signal.
    Signal(i32),
}

impl Exit {
    /// Returns the status that a shell would: the code, or 128 plus the signal's number.
    pub fn status(self) -> i32 {
        match self {
            Exit::Code(code) => code,
            Exit::Signal(signal) => 128 + signal,
        }
    }

    /// Returns whether the command ended with status 0.
    pub fn success(self) -> bool {
        self == Exit::Code(0)
    }
}

/// The outcome of loading or unloading a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleOutcome {
    /// The result.
    pub result: ModuleResult,
    /// The sequence number of the first log record that belongs to the call.
    pub log_from: u64,
    /// The sequence number of the first record after those. All records before it have been
    /// sent already.
    pub log_to: u64,
}

/// The result of loading or unloading a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModuleResult {
    /// The call succeeded.
    Ok,
    /// The kernel or the module's own init refused.
    Refused(Errno),
    /// The kernel killed the process that made the request, because of an oops.
    Killed,
}

/// A line of `/proc/modules`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleRow {
    /// The module's name.
    pub name: String,
    /// The size of the module's memory, in bytes.
    pub size: u64,
    /// The number of the module's users, or `None` when the kernel cannot unload modules.
    pub refcount: Option<u64>,
    /// Whether the module has no exit, and so cannot be unloaded.
    pub permanent: bool,
    /// The modules that use this one.
    pub used_by: Vec<String>,
    /// The state: `Live`, `Loading` or `Unloading`.
    pub state: String,
    /// The taint letters, such as `OE`.
    pub taint: String,
}

impl ModuleRow {
    /// Parses a line of `/proc/modules`.
    ///
    /// ```
    /// let m = koru_protocol::ModuleRow::parse("x 16384 2 y,z, Live 0xffffffffc0000000 (OE)").unwrap();
    /// assert_eq!((m.used_by.join(" "), m.taint.as_str()), ("y z".into(), "OE"));
    /// ```
    pub fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [name, size, refcount, users, state, ..] = fields[..] else {
            return None;
        };
        let is_user = |name: &&str| !matches!(*name, "" | "-" | "[permanent]");
        Some(ModuleRow {
            name: name.into(),
            size: size.parse().ok()?,
            refcount: refcount.parse().ok(),
            permanent: users.contains("[permanent]"),
            used_by: users.split(',').filter(is_user).map(Into::into).collect(),
            state: state.into(),
            taint: fields.get(6).unwrap_or(&"").trim_matches(['(', ')']).into(),
        })
    }
}

/// The addresses of a module's code and data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleSections {
    /// The module's name.
    pub name: String,
    /// The names and addresses of its sections, without those that only its init uses.
    pub sections: Vec<(String, u64)>,
}

/// A process as the kernel sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// The state: `R`, `S`, `D`, ...
    pub state: char,
    /// The processor time in milliseconds that the process spent in the kernel.
    pub kernel_ms: u64,
    /// The kernel stack, one function per line, if it could be read.
    pub stack: String,
}

/// A task that is in the code of a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// The id of the thread. For the first thread, this is the id of the process.
    pub pid: u32,
    /// The name that `ps` shows.
    pub name: String,
    /// The state: `R`, `S`, `D`, ...
    pub state: char,
    /// The kernel stack, one function per line. Functions that switch to another task, such as
    /// `mutex_lock`, are left out.
    pub stack: String,
}

/// What a kernel has at one moment that a module could have registered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Entries of /proc, /sys and /dev, and other registrations in words, sorted.
    pub entries: Vec<String>,
    /// Files in /dev that are no devices.
    pub plain_files: Vec<String>,
    /// The ids of the kernel threads.
    pub kernel_threads: Vec<u32>,
    /// The loaded modules, each with the number of its users.
    pub users: Vec<(String, u64)>,
}

/// How a guest ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Death {
    /// The guest was powered off, as asked.
    PoweredOff,
    /// The kernel panicked. The records since the last one that the agent sent were read from
    /// the console.
    Panicked {
        /// The text of the panic's line.
        reason: String,
        /// The end of the log.
        records: Vec<LogRecord>,
    },
    /// The guest stopped answering, and an NMI captured its stack.
    Hung {
        /// What was being done.
        what: String,
        /// The records that answer the NMI, with the stack.
        records: Vec<LogRecord>,
    },
    /// The virtual machine ended without an announcement.
    Vanished {
        /// The exit status or signal, and what QEMU printed.
        detail: String,
        /// The end of the console's output.
        console: String,
    },
}
