// SPDX-License-Identifier: MIT OR Apache-2.0

//! How runs of modules with mistakes end, and what koru says about them.

mod left_behind;
mod load;
mod unloaded;
mod vm;
mod waits;

use crate::common::{self, CModule, line_of};

/// The folder of the modules in C.
const MODULES: &str = "host/koru/tests/testsuite/endings/modules";

/// Builds one of the modules of these tests.
#[track_caller]
fn module(name: &str, kernel: &'static str) -> CModule {
    CModule::build(&format!("{MODULES}/{name}.c"), kernel)
}

/// Returns `FILE:LINE` of the line of a module's source that contains this text.
#[track_caller]
fn at(name: &str, text: &str) -> String {
    let line = line_of(&format!("{MODULES}/{name}.c"), text);
    format!("{name}.c:{line}")
}
