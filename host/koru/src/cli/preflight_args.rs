// SPDX-License-Identifier: MIT OR Apache-2.0

//! Defines the options of `koru preflight`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::build_rules::BuildRules;

#[derive(Args)]
pub struct PreflightArgs {
    /// Names, folders or files of modules [default: all modules in the current folder]
    #[arg(value_name = "MODULE")]
    pub modules: Vec<String>,
    /// Check on this kernel of `koru kernel list`: a release or its beginning. May be given several
    /// times
    #[arg(long = "kernel", value_name = "RELEASE", required = true)]
    pub kernels: Vec<String>,
    #[command(flatten)]
    pub rules: BuildRules,
    /// End the loading and unloading of a module after this time.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub limit: u32,
    /// Write the verdicts to this file, as a JUnit report.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Install missing packages without asking.
    #[arg(long, short)]
    pub yes: bool,
}
