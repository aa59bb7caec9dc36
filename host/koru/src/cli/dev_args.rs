// SPDX-License-Identifier: MIT OR Apache-2.0

//! Defines the options of `koru dev`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::{cli::options::TestArgs, testing::part::Part};

#[derive(Args)]
pub struct DevTestArgs {
    #[command(flatten)]
    pub test: TestArgs,
    /// Run these stages, separated by commas [default: all stages]
    #[arg(long, value_name = "STAGE", value_enum, value_delimiter = ',')]
    pub only: Vec<Check>,
    /// Test on one of these kernels as well, which the commit chooses and which is added if needed.
    #[arg(long, value_name = "KERNEL", value_delimiter = ',')]
    pub also_one_of: Vec<String>,
    /// Let this commit choose [default: the checkout's current commit]
    #[arg(long, value_name = "HASH", requires = "also_one_of")]
    pub commit: Option<String>,
    /// Of the tests that take turns, run the fifth that this text chooses, for example the hash
    /// of a commit. A fifth of those that take long run then, and on each kernel but one a fifth
    /// of the guest tests [default: all] [env: KORU_TEST_PART]
    #[arg(long, value_name = "TEXT")]
    pub part: Option<Part>,
}

#[derive(Args)]
pub struct KernelsTableArgs {
    /// JUnit reports of guest tests [default: none; only the tables are written]
    #[arg(value_name = "REPORT")]
    pub reports: Vec<PathBuf>,
    /// Name this commit as the tested one [default: the checkout's current commit]
    #[arg(long, value_name = "HASH", requires = "reports")]
    pub commit: Option<String>,
    /// Check that the tables are current instead of writing them.
    #[arg(long, conflicts_with = "reports")]
    pub check: bool,
}

#[derive(Subcommand)]
pub enum DevCommand {
    /// Run every check and test of Koru, or some of them.
    #[command(after_help = "Examples:
  koru dev test                        everything, on every supported kernel
  koru dev test --only guest hello     the guest tests whose names contain `hello`
  koru dev test --only format,lint     what takes a minute or two
  koru dev test --kernel all           everything, on every kernel that was added
  koru dev test --also-one-of 5.10,6.1-rt,trixie/7.3

The last one tests on the supported kernels and on one of the three, so that most
of them are met after a few commits. A kernel that the archive does not have just now is left out,
and a note says so.")]
    Test(DevTestArgs),
    /// Write the results of guest tests into the tables of docs/kernels.md.
    #[command(after_help = "Examples:
  koru dev test --only guest --kernel all --junit all.xml
  koru dev kernels-table all.xml       the new results of these kernels replace the old ones
  koru dev kernels-table --check       check that nobody has edited the tables by hand

The results are in docs/kernels.toml. Give all reports of a kernel at once.")]
    KernelsTable(KernelsTableArgs),
    /// Generate the kernel crate's declarations of the C interface layer from shim.h.
    Bindings {
        /// Check that the declarations are current instead of writing them.
        #[arg(long)]
        check: bool,
    },
    /// Measure Koru with the benchmark runner.
    #[command(after_help = "Examples:
  koru dev bench turnaround
  koru dev bench -- --help")]
    Bench {
        /// Arguments of the benchmark runner.
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "ARGS"
        )]
        args: Vec<String>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub enum Check {
    /// Check formatting with cargo fmt.
    Format,
    /// Run clippy, rustdoc, shellcheck and the checks of files and dependencies.
    Lint,
    /// Run the tests of programs that run on this machine.
    Unit,
    /// Compile the kernel crate's examples.
    Doc,
    /// Check that misuses of the kernel crate do not compile.
    Misuse,
    /// Run the tests that need a kernel, in virtual machines.
    Guest,
}
