// SPDX-License-Identifier: MIT OR Apache-2.0

//! The layout of an exported file.
//!
//! The file is a tar archive, compressed with gzip. It has entries of the cache as `KIND/NAME/..`,
//! and files of cargo's registry as `cargo/registry/..`. gzip's own checksum finds damage.

/// The kinds of entries that are the same on every machine.
pub const KINDS: [&str; 4] = ["kernels", "sysroots", "tools", "userlands"];

/// The place of cargo's registry in the archive.
pub const REGISTRY: &str = "cargo/registry";
