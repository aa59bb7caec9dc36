// SPDX-License-Identifier: MIT OR Apache-2.0

//! Defines the options of `koru grade`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::{build_rules::BuildRules, kernel_choice::KernelChoice};

#[derive(Args)]
pub struct GradeArgs {
    /// Folder with the submissions: a folder, an archive or a file for each student.
    pub submissions: PathBuf,
    /// Folder or name of the contract.
    #[arg(long, value_name = "CONTRACT")]
    pub contract: String,
    /// Folder for the results.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Judge so many students at once [default: as many as there are processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: Option<u16>,
    /// Give each student's promises this many seconds together; the build has a limit of its own.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// Name pairs of students whose sources share much, as a hint.
    #[arg(long)]
    pub similar: bool,
    /// Judge everybody again, also those whose work has not changed.
    #[arg(long)]
    pub again: bool,
    #[command(flatten)]
    pub kernel: KernelChoice,
    #[command(flatten)]
    pub rules: BuildRules,
}
