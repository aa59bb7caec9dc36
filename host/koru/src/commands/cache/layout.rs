// SPDX-License-Identifier: MIT OR Apache-2.0

//! The layout of an exported file.
//!
//! The file is a tar archive, compressed with gzip. It has entries of the cache as `KIND/NAME/..`,
//! files of cargo's registry as `cargo/registry/..`, and a checksum of all this at the end.

/// The kinds of entries that are the same on every machine.
pub const KINDS: [&str; 4] = ["kernels", "sysroots", "tools", "userlands"];

/// The place of cargo's registry in the archive.
pub const REGISTRY: &str = "cargo/registry";

/// The last file of the archive.
pub const CHECKSUM: &str = "koru-cache-checksum";
