// SPDX-License-Identifier: GPL-2.0-only

//! What user space is told of an error.
//!
//! This is apart from [`Error`] itself because it depends on the current task.

use super::{code, Error};
use crate::current;
use crate::ffi::c_int;

impl Error {
    /// The errno that a system call may return for this error: negative.
    ///
    /// From 512 on the codes are the kernel's own, and user space knows none of them.
    /// Those that ask for a restart are right only while a signal is pending, for then
    /// the kernel replaces them before it returns to user space; otherwise they become
    /// `EINTR`, as does `ERESTART_RESTARTBLOCK`, which goes with a function to restart
    /// by that nobody has set here. `EIOCBQUEUED` would be a promise to go on later. The
    /// others become the code of user space that is closest, or `EIO`.
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
