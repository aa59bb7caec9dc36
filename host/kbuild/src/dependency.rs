// SPDX-License-Identifier: MIT OR Apache-2.0

//! The crates that a module depends on.

/// A crate that a module depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Dependency {
    /// The package's name.
    pub name: String,
    pub version: String,
}
