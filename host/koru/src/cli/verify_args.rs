// SPDX-License-Identifier: MIT OR Apache-2.0

//! Defines the options of `koru verify`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::{build_rules::BuildRules, kernel_choice::KernelChoice};

#[derive(Args)]
pub struct VerifyArgs {
    /// Contract to check: a folder with a contract.toml, the name of such a folder in Koru's
    /// contracts, or of one of Koru's modules with conformance tests.
    #[arg(value_name = "CONTRACT")]
    pub name: String,
    /// Check the requirements whose text or test name contains one of these words [default: all]
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Test this prebuilt module [default: Koru's own]
    #[arg(long, value_name = "FILE", conflicts_with = "src")]
    pub ko: Option<PathBuf>,
    /// Build the module to test from this folder's Makefile or Kbuild.
    #[arg(long, value_name = "DIR")]
    pub src: Option<PathBuf>,
    #[command(flatten)]
    pub kernel: KernelChoice,
    #[command(flatten)]
    pub rules: BuildRules,
    /// Replace file names, messages and error numbers of the contract by those in this file.
    #[arg(long, value_name = "FILE")]
    pub contract: Option<PathBuf>,
    /// Choose what a contract's folder lets differ between students.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub seed: u64,
    /// Check requirements that take minutes as well.
    #[arg(long)]
    pub slow: bool,
    /// Stop the check of a requirement after this many seconds (ten times as many with --slow).
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// Write a JUnit report to this file.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write a Markdown report to this file.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
}
