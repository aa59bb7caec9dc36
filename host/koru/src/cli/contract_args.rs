// SPDX-License-Identifier: MIT OR Apache-2.0

//! Defines the options of `koru contract`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::{build_rules::BuildRules, kernel_choice::KernelChoice};

#[derive(Subcommand)]
pub enum ContractCommand {
    /// Create a contract's folder.
    New(ContractNewArgs),
    /// Check that a contract's solution keeps it, and that each of its wrong modules breaks it.
    Check(ContractCheckArgs),
    /// Print the handout for students, in Markdown: the promises without the secret ones.
    Show {
        /// Folder or name of a contract.
        contract: String,
        /// Choose what differs between students.
        #[arg(long, value_name = "NUMBER", default_value_t = 0)]
        seed: u64,
    },
    /// Print the JSON schema of contract.toml.
    Schema,
}

#[derive(Args)]
pub struct ContractNewArgs {
    /// Folder to create.
    pub folder: PathBuf,
    /// Extend this contract: the new one says only what differs.
    #[arg(long, value_name = "CONTRACT")]
    pub from: Option<String>,
}

#[derive(Args)]
pub struct ContractCheckArgs {
    /// Folder or name of a contract.
    pub contract: String,
    #[command(flatten)]
    pub kernel: KernelChoice,
    #[command(flatten)]
    pub rules: BuildRules,
    /// Choose what differs between students.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub seed: u64,
}
