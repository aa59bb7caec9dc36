// SPDX-License-Identifier: MIT OR Apache-2.0

//! Files in memory that have no name.

use std::{fs::File, io};

use koru_error::{IoContext, Result};
use rustix::fs::{MemfdFlags, memfd_create};

/// Creates an anonymous file in memory, which never needs to be cleaned up.
pub fn memory_file(name: &str) -> Result<File> {
    memfd_create(name, MemfdFlags::CLOEXEC)
        .map(File::from)
        .map_err(io::Error::from)
        .context("making a file in memory")
}
