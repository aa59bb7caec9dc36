// SPDX-License-Identifier: MIT OR Apache-2.0

//! The failures of a session, and of the guest behind it.

use std::{path::PathBuf, time::Duration};

use koru_error::{Error as HostError, Kind, errno_text, unload_help};
use koru_klog::{Complaint, escape_control_chars, format_record, overdue};
use koru_protocol::{Death, Errno, Inside, LogRecord};

use crate::{
    blocked, hang_limit,
    load_failure::{load_help, load_message, unknown_symbols},
};

/// A result whose error is an [`Error`] unless another type is given.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of a session or of the guest behind it. [`Error::records`] returns the log
/// records that explain the failure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something failed on the host, or on the way to a machine.
    #[error(transparent)]
    Host(#[from] HostError),

    /// The guest did not come up.
    #[error("the guest did not start: {why}")]
    Boot {
        /// The reason, in words.
        why: String,
        /// The end of the console's output.
        console: String,
    },

    /// The kernel refused to load the module, or its init failed.
    #[error("{module}: cannot be loaded: {}", errno_text(*.errno))]
    LoadFailed {
        /// The name of the module's file, without `.ko`.
        module: String,
        /// The error number, as a positive number.
        errno: Errno,
        /// Whether a module of this name is loaded.
        is_loaded: bool,
        /// The records that were logged meanwhile.
        records: Vec<LogRecord>,
    },

    /// The kernel refused to unload the module.
    #[error("{module}: cannot be unloaded: {}", errno_text(*.errno))]
    UnloadFailed {
        /// The module's name.
        module: String,
        /// The error number, as a positive number.
        errno: Errno,
        /// Whether the module has no exit, and so can never be unloaded.
        permanent: bool,
        /// The records that were logged meanwhile.
        records: Vec<LogRecord>,
    },

    /// The module cannot be removed: something that it registered was not dropped, so its code
    /// has to stay, and the process that loads or unloads it does not end.
    #[error("{what}: {}", .complaint.line)]
    StillRegistered {
        /// What was being done.
        what: String,
        /// The message in which the module says so.
        complaint: Complaint,
        /// The records that were logged meanwhile.
        records: Vec<LogRecord>,
    },

    /// The kernel complained: an oops, a warning, ...
    #[error("{what}: the kernel complained: {complaint}")]
    Complaint {
        /// What was being done.
        what: String,
        /// The first complaint.
        complaint: Complaint,
        /// The records that were logged meanwhile.
        records: Vec<LogRecord>,
    },

    /// The guest's kernel panicked, and the guest is gone.
    #[error("the guest's kernel panicked: {reason}")]
    Panicked {
        /// The text of the panic's line in the log.
        reason: String,
        /// The end of the log.
        records: Vec<LogRecord>,
    },

    /// The guest stopped answering. An NMI captured its stack, and the guest ended.
    #[error("the guest hung: {what}")]
    Hung {
        /// What was being done.
        what: String,
        /// The records that answer the NMI, with the stack.
        records: Vec<LogRecord>,
    },

    /// The virtual machine ended without an announcement.
    #[error("the guest ended: {detail}")]
    Died {
        /// The exit status or signal, and what QEMU printed.
        detail: String,
        /// The end of the console's output.
        console: String,
    },

    /// The guest was powered off.
    #[error("the guest was powered off")]
    PoweredOff,

    /// An operation takes too long, although the guest itself is alive.
    #[error("{what}: not done after {} s{}", .after.as_secs(), stack_text(.stack))]
    Timeout {
        /// What was being done.
        what: String,
        /// The limit.
        after: Duration,
        /// The kernel stack of the process that does the operation, if it could be read.
        stack: String,
        /// The other tasks that are in the module's code.
        inside: Vec<Inside>,
        /// The records that were logged meanwhile.
        records: Vec<LogRecord>,
    },

    /// The guest refused a request.
    #[error("{what}: {}", errno_text(*.errno))]
    Refused {
        /// What was asked for.
        what: String,
        /// The error number, as a positive number.
        errno: Errno,
    },

    /// The other side speaks another version of the protocol.
    #[error("the guest speaks protocol {theirs}, this program {ours}: rebuild the guest's agent")]
    Version {
        /// The agent's version.
        theirs: u32,
        /// This program's version.
        ours: u32,
    },

    /// A daemon serves this socket already.
    #[error("{}: a guest is being served here already", .0.display())]
    InUse(PathBuf),

    /// No daemon serves this socket.
    #[error("{}: no guest is served here", .0.display())]
    NotServed(PathBuf),
}

impl Error {
    /// Returns the log records that explain the failure.
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

    /// Returns the symbols that a module needs and the kernel did not find, so that the module
    /// could not be loaded.
    pub fn unknown_symbols(&self) -> Vec<&str> {
        match self {
            Error::LoadFailed { records, .. } => unknown_symbols(records),
            _ => Vec::new(),
        }
    }

    /// Returns whether the failure means that the guest is gone.
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
    /// Returns the error for a death, of a guest or (with its name) of a connection to a
    /// machine.
    pub(crate) fn of_death(death: Death, machine: Option<&str>) -> Error {
        match (death, machine) {
            (Death::Vanished { detail, console }, Some(machine)) => target_error(
                format!("working on {machine}"),
                detail,
                "modules may still be loaded there: `koru list` with this --target shows them",
                &console,
            )
            .into(),
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

fn stack_text(stack: &str) -> String {
    match stack.lines().next() {
        Some(first) => format!(", in {}", first.trim_start_matches("[<0>] ")),
        None => String::new(),
    }
}

/// Returns the error for a machine that cannot be reached, or can no longer be reached.
pub(crate) fn target_error(
    context: impl Into<String>,
    message: impl Into<String>,
    help: &str,
    output: &str,
) -> HostError {
    let e = HostError::new(Kind::System, context, message).output(escape_control_chars(output));
    if help.is_empty() { e } else { e.help(help) }
}

/// Converts a failure to the form that the command line shows: with the log records that
/// explain it, and with what the user can do.
impl From<Error> for HostError {
    fn from(error: Error) -> HostError {
        if let Error::Host(error) = error {
            return error;
        }
        let records = error.records();
        let mut output: String = records
            .iter()
            .map(|r| format_record(r, false) + "\n")
            .collect();
        let (kind, context, message, help) = match &error {
            Error::LoadFailed {
                module,
                errno,
                is_loaded,
                ..
            } => {
                let e = HostError::new(
                    Kind::System,
                    format!("loading {module}"),
                    load_message(*errno, records),
                );
                return e
                    .help(load_help(*errno, *is_loaded, records))
                    .output(output);
            }
            Error::UnloadFailed {
                module,
                permanent: true,
                ..
            } => (
                Kind::System,
                format!("unloading {module}"),
                "it has no module_exit, so it cannot be unloaded".to_owned(),
                Some("only a restart of the machine removes it (`koru vm restart`)"),
            ),
            Error::UnloadFailed { module, errno, .. } => (
                Kind::System,
                format!("unloading {module}"),
                errno_text(*errno),
                unload_help(*errno),
            ),
            Error::StillRegistered {
                what, complaint, ..
            } => (
                Kind::System,
                what.clone(),
                complaint.line.clone(),
                Some("the module stays in memory until the machine restarts (`koru vm stop`)"),
            ),
            Error::Complaint {
                what, complaint, ..
            } => (
                Kind::System,
                what.clone(),
                format!("the kernel complained: {complaint}"),
                Some(complaint.help()),
            ),
            Error::Panicked { reason, .. } => (
                Kind::System,
                "running the guest".to_owned(),
                format!("its kernel panicked: {reason}"),
                Some("see the log above; your own machine is not affected"),
            ),
            Error::Hung { what, .. } => (
                Kind::System,
                what.clone(),
                match what.starts_with("no sign of life") {
                    true => "the guest hung; an NMI captured its stack".to_owned(),
                    false => format!(
                        "the guest hung: no sign of life for {} s; an NMI captured its stack",
                        hang_limit().as_secs()
                    ),
                },
                Some("the stack in the log above shows the function that does not return"),
            ),
            Error::Timeout {
                what,
                after,
                stack,
                inside,
                records,
            } => {
                output = blocked::stacks(stack, inside);
                let mut message = format!("not done after {} s", after.as_secs());
                if let Some(place) = blocked::place(stack) {
                    message += &format!("; it waits in {place}");
                }
                let reason = blocked::reason(inside);
                let reason = reason.or_else(|| overdue(records).map(str::to_owned));
                (
                    Kind::System,
                    what.clone(),
                    reason.map_or(message.clone(), |reason| format!("{message}: {reason}")),
                    blocked::hint(inside).or(blocked::lock_hint(stack)),
                )
            }
            Error::Boot { why, console } => {
                output = console.clone();
                (
                    Kind::System,
                    "starting a guest".to_owned(),
                    why.clone(),
                    Some("set KORU_ACCEL=tcg to rule out a broken KVM"),
                )
            }
            Error::Died { detail, console } => {
                output = console.clone();
                (
                    Kind::System,
                    "running the guest".to_owned(),
                    detail.clone(),
                    None,
                )
            }
            Error::NotServed(_) => (
                Kind::Usage,
                "talking to the virtual machine".to_owned(),
                "it is not up".to_owned(),
                Some("`koru vm start` or `koru load` starts it"),
            ),
            Error::InUse(_) => (
                Kind::Usage,
                "starting the virtual machine".to_owned(),
                "it is up already".to_owned(),
                Some("run `koru vm stop` first, or start another one with --vm NAME"),
            ),
            Error::Refused { what, errno } => {
                (Kind::System, what.clone(), errno_text(*errno), None)
            }
            _ => (
                Kind::System,
                "running the guest".to_owned(),
                error.to_string(),
                None,
            ),
        };
        let mut e = HostError::new(kind, context, message).output(output);
        if let Some(help) = help {
            e = e.help(help);
        }
        e
    }
}
