// SPDX-License-Identifier: MIT OR Apache-2.0

//! The answer to a call.

use std::io;

use koru_protocol::{Errno, Reply};

/// What one call answers.
pub type Answer = Result<Reply, Errno>;

/// The errno of an error, for the host.
pub fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().unwrap_or(match error.kind() {
        io::ErrorKind::InvalidInput => libc::EINVAL,
        _ => libc::EIO,
    })
}
