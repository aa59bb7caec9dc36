// SPDX-License-Identifier: MIT OR Apache-2.0

//! What Koru needs on the machine.

mod checks;
mod install;

pub use checks::{agent_path, check_all, clippy_driver, libclang_folder};
pub use install::{debugger, install_missing, prebuild};
