// SPDX-License-Identifier: MIT OR Apache-2.0

//! Defines the options of `koru check`.

use clap::{Args, ValueEnum};

use crate::cli::{KernelChoice, build_rules::BuildRules};

/// One way of checking a module, the cheapest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// Load and unload the module many times.
    Reload,
    /// Run its tests in a guest that is harsh with memory.
    Tests,
    /// Run its tests on the debug kernel.
    Debug,
    /// Make each allocation fail, on the debug kernel.
    Faults,
    /// Make random system calls for the time that is left, on the debug kernel if there is one.
    Fuzz,
}

#[derive(Args)]
pub struct CheckArgs {
    /// Name, folder or file of the module [default: the module in the current folder]
    #[arg(value_name = "MODULE")]
    pub module: Option<String>,
    #[command(flatten)]
    pub kernel: KernelChoice,
    /// Check in these ways only. May be given several times
    #[arg(long, value_name = "STRENGTH", value_delimiter = ',')]
    pub only: Vec<Strength>,
    /// Begin no other check after this time.
    #[arg(
        long,
        value_name = "MINUTES",
        default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub minutes: u32,
    /// Continue when something was found.
    #[arg(long)]
    pub keep_going: bool,
    /// How often the module is loaded and unloaded
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 2000,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub loads: u32,
    /// Load the module with this parameter. May be given several times
    #[arg(short, long = "param", value_name = "KEY=VALUE")]
    pub params: Vec<String>,
    #[command(flatten)]
    pub rules: BuildRules,
    /// Install missing packages without asking.
    #[arg(long, short)]
    pub yes: bool,
}
