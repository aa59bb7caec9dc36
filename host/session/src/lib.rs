// SPDX-License-Identifier: MIT OR Apache-2.0

//! A session with an agent, over any line.
//!
//! The agent is a guest's first process, or runs as root on a machine of the user's. A
//! [`Session`] calls the agent: it loads and unloads modules, follows the kernel log, runs
//! commands and copies files. [`local()`], [`Ssh::connect`] and [`connect`] open a session; a
//! guest's owner opens one over the guest's serial line with [`Session::from_stream`].
//!
//! This crate knows neither QEMU nor how a guest is started.
#![forbid(unsafe_code)]

mod blocked;
mod calls;
mod client;
mod connection;
mod endless;
mod error;
mod files;
mod hang;
mod left_behind;
mod load_failure;
mod local;
mod log;
mod modules;
mod process;
mod script;
mod shared_memory;
mod ssh;
mod waiting;

pub use calls::check_version;
pub use client::connect;
pub use connection::{Observer, Session, Sink};
pub use endless::{Endless, EndlessUse};
pub use error::{Error, Result};
pub use hang::hang_limit;
pub use left_behind::LeftBehind;
pub use load_failure::load_message;
pub use local::local;
pub use log::LogStream;
pub use modules::{ModuleReport, quote_parameter};
pub use process::{Output, Process, ProcessEvent, StdinWriter};
pub use script::{Script, ScriptModule, ScriptRun};
pub use shared_memory::SharedMemory;
pub use ssh::{AskPassword, Ssh};
pub use waiting::Waiting;
