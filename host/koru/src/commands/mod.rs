// SPDX-License-Identifier: MIT OR Apache-2.0

//! The commands, one module each.

pub mod api;
pub mod bench;
pub mod build;
pub mod cache;
pub mod check;
pub mod clean;
pub mod contract;
pub mod debug;
pub mod decode;
pub mod demo;
pub mod dev;
pub mod editor;
pub mod env;
pub mod exec;
pub mod fuzz;
pub mod grade;
pub mod kernel;
pub mod list;
pub mod load;
pub mod log;
pub mod new;
pub mod preflight;
pub mod run;
pub mod setup;
pub mod shell;
pub mod test;
pub mod test_runner;
pub mod unload;
pub mod verify;
pub mod vm;
pub mod watch;

use clap::CommandFactory;

/// Prints shell completions.
pub fn completions(shell: clap_complete::Shell) -> koru_error::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::cli::Cli::command(), "koru", &mut script);
    crate::ui::out(String::from_utf8_lossy(&script).trim_end());
    Ok(0)
}
