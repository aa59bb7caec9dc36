// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs tests in a guest.

pub mod binaries;
pub mod junit;
pub mod result;
pub mod runner;
pub mod settings;
