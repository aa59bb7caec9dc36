//! What can go wrong with a guest.

use crate::Complaint;
use koru_protocol::{Death, Errno, Inside, LogRecord};
use std::{io, path::Path, path::PathBuf, time::Duration};

/// Short for this crate's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with a guest. [`Error::records`] has the log that explains it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something on the host's side.
    #[error("cannot {0}: {1}")]
    Io(String, #[source] io::Error),

    /// The kernel image is not one.
    #[error("{path}: {why}", path = .0.display(), why = .1)]
    Kernel(PathBuf, String),

    /// QEMU is not there.
    #[error("{0} is not installed (Debian, Ubuntu: apt-get install qemu-system-x86)")]
    NoQemu(String),

    /// The guest did not come up.
    #[error("the guest did not start: {why}")]
    Boot {
        /// In words.
        why: String,
        /// The end of the console.
        console: String,
    },

    /// The kernel refused to load the module, or its init failed.
    #[error("{module}: cannot be loaded: {}", errno_text(*.errno))]
    LoadFailed {
        /// The file's name.
        module: String,
        /// As a positive number.
        errno: Errno,
        /// What was logged meanwhile.
        records: Vec<LogRecord>,
    },

    /// The kernel refused to unload the module.
    #[error("{module}: cannot be unloaded: {}", errno_text(*.errno))]
    UnloadFailed {
        /// The module's name.
        module: String,
        /// As a positive number.
        errno: Errno,
        /// What was logged meanwhile.
        records: Vec<LogRecord>,
    },

    /// The module cannot leave: what it registered was not dropped, so its code
    /// has to stay, and the process that loads or unloads it does not end.
    #[error("{what}: {}", .complaint.line)]
    StillRegistered {
        /// What was being done.
        what: String,
        /// What the module says of it.
        complaint: Complaint,
        /// What was logged meanwhile.
        records: Vec<LogRecord>,
    },

    /// The kernel complained: an oops, a warning, ...
    #[error("{what}: the kernel complained: {complaint}")]
    Complaint {
        /// What was being done.
        what: String,
        /// The first complaint.
        complaint: Complaint,
        /// What was logged meanwhile.
        records: Vec<LogRecord>,
    },

    /// The guest's kernel panicked. The guest is gone.
    #[error("the guest's kernel panicked: {reason}")]
    Panicked {
        /// The panic's own line.
        reason: String,
        /// The log's end.
        records: Vec<LogRecord>,
    },

    /// The guest stopped answering, was asked by NMI where it is, and ended.
    #[error("the guest hung: {what}")]
    Hung {
        /// What was being done.
        what: String,
        /// The answer to the NMI, with the stack.
        records: Vec<LogRecord>,
    },

    /// The virtual machine ended without a word.
    #[error("the guest ended: {detail}")]
    Died {
        /// Exit status or signal, and what QEMU said.
        detail: String,
        /// The end of the console.
        console: String,
    },

    /// The guest was powered off.
    #[error("the guest was powered off")]
    PoweredOff,

    /// It takes too long, and the guest itself is alive.
    #[error("{what}: not done after {} s{}", .after.as_secs(), stack_text(.stack))]
    Timeout {
        /// What was being done.
        what: String,
        /// The limit.
        after: Duration,
        /// The kernel stack of the process that does it, when it can be had.
        stack: String,
        /// The other tasks that are in the module's code.
        inside: Vec<Inside>,
        /// What was logged meanwhile.
        records: Vec<LogRecord>,
    },

    /// A request that the guest refused.
    #[error("{what}: {}", errno_text(*.errno))]
    Refused {
        /// What was asked for.
        what: String,
        /// As a positive number.
        errno: Errno,
    },

    /// The other side speaks another version of the protocol.
    #[error("the guest speaks protocol {theirs}, this program {ours}: rebuild the guest's agent")]
    Version {
        /// The agent's.
        theirs: u32,
        /// Ours.
        ours: u32,
    },

    /// A daemon serves this socket already.
    #[error("{}: a guest is being served here already", .0.display())]
    InUse(PathBuf),

    /// A machine that is somebody's own cannot be reached, or not any longer.
    #[error("{attempted}: {wrong}")]
    Target {
        /// What was being done.
        attempted: String,
        /// What stood in the way.
        wrong: String,
        /// What helps; may be empty.
        todo: String,
        /// What ssh, and the other side, said of it.
        said: String,
    },

    /// No daemon serves this socket.
    #[error("{}: no guest is served here", .0.display())]
    NotServed(PathBuf),
}

impl Error {
    /// The log records that explain it.
    pub fn records(&self) -> &[LogRecord] {
        match self {
            Error::LoadFailed { records, .. }
            | Error::UnloadFailed { records, .. }
            | Error::StillRegistered { records, .. }
            | Error::Timeout { records, .. }
            | Error::Complaint { records, .. }
            | Error::Panicked { records, .. }
            | Error::Hung { records, .. } => records,
            _ => &[],
        }
    }

    /// Whether the guest is gone with it.
    pub fn guest_is_gone(&self) -> bool {
        matches!(
            self,
            Error::Panicked { .. }
                | Error::Hung { .. }
                | Error::Died { .. }
                | Error::PoweredOff
                | Error::Boot { .. }
        )
    }
}

impl Error {
    /// A death, of a guest or (with its name) of a connection to a machine.
    pub(crate) fn of_death(death: Death, machine: Option<&str>) -> Error {
        match (death, machine) {
            (Death::Vanished { detail, console }, Some(machine)) => Error::Target {
                attempted: format!("working on {machine}"),
                wrong: detail,
                todo: "what was loaded there may still be: `koru list` with this --target shows it"
                    .into(),
                said: console,
            },
            (death, _) => death.into(),
        }
    }
}

impl From<Death> for Error {
    fn from(death: Death) -> Self {
        match death {
            Death::PoweredOff => Error::PoweredOff,
            Death::Panicked { reason, records } => Error::Panicked { reason, records },
            Death::Hung { what, records } => Error::Hung { what, records },
            Death::Vanished { detail, console } => Error::Died { detail, console },
        }
    }
}

/// Makes a function for `map_err` that says what was tried with which path.
pub(crate) fn at_path(verb: &str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let what = format!("{verb} {}", path.display());
    move |e| Error::Io(what, e)
}

/// Likewise, without a path.
pub(crate) fn doing(what: &str) -> impl FnOnce(io::Error) -> Error {
    let what = what.to_string();
    move |e| Error::Io(what, e)
}

/// An errno in words and number, as `insmod` says it.
pub fn errno_text(errno: Errno) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    format!("{words} (errno {errno})")
}

fn stack_text(stack: &str) -> String {
    match stack.lines().next() {
        Some(first) => format!(", in {}", first.trim_start_matches("[<0>] ")),
        None => String::new(),
    }
}
