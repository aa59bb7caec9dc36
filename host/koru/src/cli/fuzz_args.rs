// SPDX-License-Identifier: MIT OR Apache-2.0

//! Defines the options of `koru fuzz`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::{KernelChoice, build_rules::BuildRules};

#[derive(Args)]
pub struct FuzzArgs {
    /// Name, folder or file of the module [default: the module in the current folder]
    #[arg(value_name = "MODULE")]
    pub module: Option<String>,
    #[command(flatten)]
    pub kernel: KernelChoice,
    /// Stop after this time.
    #[arg(
        long,
        value_name = "MINUTES",
        default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub minutes: u32,
    /// Stop after this number of system calls.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub calls: Option<u64>,
    /// Make the calls of this seed [default: another one each time]
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Do not let the kernel's coverage guide the calls.
    #[arg(long)]
    pub unguided: bool,
    /// Write the calls that lead to the finding to this file.
    #[arg(long, value_name = "FILE")]
    pub keep: Option<PathBuf>,
    /// Continue when something was found.
    #[arg(long, conflicts_with = "keep")]
    pub keep_going: bool,
    /// Load the module with this parameter. May be given several times
    #[arg(short, long = "param", value_name = "KEY=VALUE")]
    pub params: Vec<String>,
    #[command(flatten)]
    pub rules: BuildRules,
    /// Install missing packages without asking.
    #[arg(long, short)]
    pub yes: bool,
}
