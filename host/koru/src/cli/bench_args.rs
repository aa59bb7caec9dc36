// SPDX-License-Identifier: MIT OR Apache-2.0

//! Defines the options of `koru bench`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::{build_rules::BuildRules, kernel_choice::KernelChoice};

#[derive(Args)]
pub struct BenchArgs {
    /// Module: a name, a folder, or a file (.ko, .c, .rs) [default, in the checkout of Koru: its
    /// own modules, beside their forms in C]
    #[arg(value_name = "MODULE")]
    pub module: Option<String>,
    /// Compare with this module, in the same virtual machine. May be given several times.
    #[arg(long, value_name = "OTHER")]
    pub against: Vec<String>,
    /// Count what this operation takes; see below. May be given several times.
    #[arg(long = "op", value_name = "OPERATION")]
    pub operations: Vec<String>,
    /// Set a parameter of every module.
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE")]
    pub params: Vec<String>,
    /// Do each operation this many times; the result is the median.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub samples: u32,
    /// Load and unload each module this many times; the result is the median.
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub loads: u32,
    /// Show which functions the instructions are in, of one sample of each operation and of a load.
    #[arg(long)]
    pub profile: bool,
    /// Count only a few rows of each of Koru's own modules, and compare them with the recorded ones.
    #[arg(long, conflicts_with_all = ["against", "operations", "params", "profile", "record"])]
    pub quick: bool,
    /// Replace the ratios that the next runs are compared with by those of this run.
    #[arg(long)]
    pub record: bool,
    /// Draw the recorded ratios of Koru's own modules in a picture (.svg).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["against", "operations", "params", "quick"])]
    pub plot: Option<PathBuf>,
    #[command(flatten)]
    pub kernel: KernelChoice,
    #[command(flatten)]
    pub rules: BuildRules,
}
