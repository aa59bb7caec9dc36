// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs tests in a guest.

pub mod binaries;
pub mod coverage;
pub mod guest;
pub mod jobs;
pub mod junit;
pub mod markdown;
pub mod marks;
pub mod module_tests;
pub mod part;
pub mod program_tests;
pub mod report;
pub mod result;
pub mod runner;
pub mod settings;
pub mod test_run;
