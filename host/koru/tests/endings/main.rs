// SPDX-License-Identifier: MIT OR Apache-2.0

//! How runs of modules with mistakes end, and what koru says about them.

#[path = "../common/mod.rs"]
mod common;
mod left_behind;

use common::CModule;

/// Builds one of the modules of these tests.
#[track_caller]
fn module(name: &str, kernel: &'static str) -> CModule {
    CModule::build(&format!("host/koru/tests/endings/modules/{name}.c"), kernel)
}
