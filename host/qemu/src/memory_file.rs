// SPDX-License-Identifier: MIT OR Apache-2.0

//! Files without a name, in memory.

use std::{fs::File, io};

use koru_error::{IoContext, Result};
use rustix::fs::{MemfdFlags, memfd_create};

/// Creates an anonymous file in memory: there is nothing to clean up, whatever happens.
pub fn memory_file(name: &str) -> Result<File> {
    memfd_create(name, MemfdFlags::CLOEXEC)
        .map(File::from)
        .map_err(io::Error::from)
        .context("making a file in memory")
}
