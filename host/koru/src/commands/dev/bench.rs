// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru dev bench`: measures Koru.

use std::{os::unix::process::CommandExt, process::Command};

use koru_error::{IoContext, Result};

use crate::context::Context;

/// Replaces this program by the benchmark runner.
pub fn bench(context: &Context, args: &[String]) -> Result<u8> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["run", "--quiet", "--locked", "--profile=program"])
        .args(["--package", "koru-bench", "--"])
        .args(args)
        .current_dir(&context.home.root);
    Err(cargo.exec()).path_context("running cargo in", &context.home.root)
}
