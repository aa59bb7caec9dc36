// SPDX-License-Identifier: MIT OR Apache-2.0

//! Targets, where modules are loaded: the virtual machine, this machine, another machine.

pub mod consent;
pub mod headers;
pub mod machine;
pub mod name;
pub mod password;
pub mod preflight;
pub mod session;
pub mod standing_vm;
