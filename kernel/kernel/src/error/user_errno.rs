// SPDX-License-Identifier: GPL-2.0-only

//! The errno that user space gets for an error.
//!
//! This is separate from [`Error`] because it depends on the current task.

use super::{code, Error};
use crate::current;
use crate::ffi::c_int;

impl Error {
    /// Returns the negative errno that a system call may return for this error.
    ///
    /// The codes from 512 on are the kernel's own, and user space knows none of them. Those that
    /// ask for a restart are right only while a signal is pending, because the kernel then replaces
    /// them before it returns to user space; otherwise they become `EINTR`. So does
    /// `ERESTART_RESTARTBLOCK`, because nobody here has set the function that it restarts by.
    /// `EIOCBQUEUED` would promise a later completion. The others become the closest code of user
    /// space, or `EIO`.
    pub(crate) fn to_user_errno(self) -> c_int {
        let error = match self {
            error if error.to_errno() > -512 => error,
            code::ERESTARTSYS | code::ERESTARTNOINTR | code::ERESTARTNOHAND
                if current!().signal_pending() =>
            {
                self
            }
            code::ERESTARTSYS
            | code::ERESTARTNOINTR
            | code::ERESTARTNOHAND
            | code::ERESTART_RESTARTBLOCK => code::EINTR,
            code::ENOIOCTLCMD => code::ENOTTY,
            code::ENOTSUPP => code::EOPNOTSUPP,
            _ => code::EIO,
        };
        error.to_errno()
    }
}
