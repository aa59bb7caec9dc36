// SPDX-License-Identifier: MIT OR Apache-2.0

//! What processes read and write.

use serde::{Deserialize, Serialize};

/// A process that has a file open that was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileUser {
    /// The id of the process.
    pub pid: u32,
    /// The name that `ps` shows.
    pub name: String,
    /// What the process has read so far, from all files.
    pub read: Transfer,
    /// What the process has written so far, to all files.
    pub written: Transfer,
    /// The files that the process has open.
    pub files: Vec<OpenFile>,
}

/// The sum of some calls that read or write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The number of bytes.
    pub bytes: u64,
    /// The number of calls, also of those that failed.
    pub calls: u64,
}

/// A file that a process has open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenFile {
    /// The file's descriptor.
    pub fd: u32,
    /// The path, or what /proc shows for what has none: `pipe:[71]`.
    pub path: String,
    /// The position in the file.
    pub position: u64,
    /// Whether the process may read.
    pub can_read: bool,
    /// Whether the process may write.
    pub can_write: bool,
    /// Whether this is one of the files that were asked about.
    pub is_asked: bool,
    /// Whether this is a stream between the host and the command.
    pub is_stream: bool,
}
