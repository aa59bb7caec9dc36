// SPDX-License-Identifier: MIT OR Apache-2.0

//! The answer to a call, and the errnos in it.

use std::io;

use koru_protocol::{Errno, Reply};

/// The answer to one call.
pub type Answer = Result<Reply, Errno>;

/// Returns the errno of an error, for the host.
pub fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().unwrap_or(match error.kind() {
        io::ErrorKind::InvalidInput => libc::EINVAL,
        _ => libc::EIO,
    })
}
