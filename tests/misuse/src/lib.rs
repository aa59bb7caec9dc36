// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compiles one file against the kernel crate, and compares rustc's errors with those that the file
//! announces. README.md says how a file is written.
#![forbid(unsafe_code)]

mod case;
mod macros;
mod rustc;

pub use case::Case;
pub use macros::Macros;
pub use rustc::{Diagnostic, Rustc};

use std::path::{Path, PathBuf};

/// Returns the folder that contains the files.
pub fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}
