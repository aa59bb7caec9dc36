// SPDX-License-Identifier: MIT OR Apache-2.0

//! The options of each command.

use std::{env, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use crate::target::name::TargetName;

/// Which kernel to build for and to run.
#[derive(Args, Clone, Default)]
pub struct KernelChoice {
    /// A kernel of `koru kernel list`: its release or the beginning of it [env: KORU_KERNEL]
    #[arg(long, value_name = "K", conflicts_with = "kdir")]
    pub kernel: Option<String>,
    /// Any kernel build directory [env: KDIR]
    #[arg(long, value_name = "DIR")]
    pub kdir: Option<PathBuf>,
}

impl KernelChoice {
    pub fn is_made(&self) -> bool {
        self.kernel.is_some() || self.kdir.is_some()
    }

    /// Returns the choice of the command line or, without one, that of the environment.
    /// (clap's own `env` would let a KDIR in the environment forbid a --kernel on the command
    /// line.)
    pub fn or_environment(&self) -> KernelChoice {
        if self.is_made() {
            return self.clone();
        }
        let set = |name: &str| env::var_os(name).filter(|v| !v.is_empty());
        let kernel = set("KORU_KERNEL").map(|k| k.to_string_lossy().into_owned());
        KernelChoice {
            kdir: match kernel {
                Some(_) => None,
                None => set("KDIR").map(PathBuf::from),
            },
            kernel,
        }
    }
}

#[derive(Args)]
pub struct DemoArgs {
    #[command(flatten)]
    pub kernel: KernelChoice,
    /// Install what is missing without asking.
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Args)]
pub struct TestArgs {
    /// Only these tests: those whose names contain one of these words.
    pub filters: Vec<String>,
    /// Only on this kernel (without it, on those that set-up gets).
    #[arg(long, value_name = "K")]
    pub kernel: Option<String>,
    /// Where the JUnit report goes.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Install what is missing without asking.
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Args)]
pub struct DevTestArgs {
    #[command(flatten)]
    pub test: TestArgs,
    /// Run only these stages.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub only: Vec<Check>,
}

#[derive(Subcommand)]
pub enum DevCommand {
    /// Run every check and test of Koru, or some of them.
    #[command(after_help = "Examples:
  koru dev test                        everything, on every supported kernel
  koru dev test --only guest hello     the guest tests whose names contain `hello`
  koru dev test --only format,lint     what takes a minute or two")]
    Test(DevTestArgs),
    /// Generate the kernel crate's declarations of the C interface layer from shim.h.
    Bindings {
        /// Check that the declarations are current, and write nothing.
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

#[derive(Args)]
pub struct VerifyArgs {
    /// The contract: a module of Koru's that has conformance tests.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Only these promises: those whose texts or tests' names contain one of these words.
    pub filters: Vec<String>,
    /// The module to judge (Koru's own without it).
    #[arg(long, value_name = "FILE", conflicts_with = "src")]
    pub ko: Option<PathBuf>,
    /// A folder to build it from, by its Makefile or Kbuild.
    #[arg(long, value_name = "DIR")]
    pub src: Option<PathBuf>,
    #[command(flatten)]
    pub kernel: KernelChoice,
    /// What differs from our text of the contract: file names, messages, error numbers.
    #[arg(long, value_name = "FILE")]
    pub contract: Option<PathBuf>,
    /// Try those promises as well that take minutes.
    #[arg(long)]
    pub slow: bool,
    /// How many seconds one promise may take (ten times that with --slow).
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// Write a JUnit report, too.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write a report to read, too.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub enum Check {
    /// cargo fmt
    Format,
    /// clippy on both sides, shellcheck, the rules for files and dependencies
    Lint,
    /// unit tests of the programs that run here
    Unit,
    /// the kernel crate's examples
    Doc,
    /// code that must not compile against the kernel crate
    Misuse,
    /// tests that boot a kernel
    Guest,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Template {
    /// Says hello and goodbye in the kernel log.
    Hello,
    /// A file in /proc that can be read and written.
    Proc,
    /// A character device in /dev.
    Chardev,
}

#[derive(Args)]
pub struct NewArgs {
    /// The module's name, and the folder's (a path makes it elsewhere).
    #[arg(value_name = "NAME")]
    pub path: PathBuf,
    #[arg(long, short, value_enum, default_value = "hello")]
    pub template: Template,
}

#[derive(Args)]
pub struct BuildArgs {
    /// Names or folders of modules.
    #[arg(value_name = "MODULE")]
    pub modules: Vec<String>,
    #[command(flatten)]
    pub kernel: KernelChoice,
}

#[derive(Args)]
pub struct RunArgs {
    /// Module name or folder, or a prebuilt .ko file [default: the current folder's].
    #[arg(value_name = "MODULE")]
    pub module: Option<String>,
    /// A module parameter.
    #[arg(short, long = "param", value_name = "KEY=VALUE")]
    pub params: Vec<String>,
    /// A file to take along, to /root in the guest.
    #[arg(long, value_name = "PATH")]
    pub file: Vec<PathBuf>,
    #[command(flatten)]
    pub kernel: KernelChoice,
    #[command(flatten)]
    pub machine: MachineArgs,
    /// Where: `vm` (a fresh one), `host` (this machine's own kernel), `ssh:[USER@]HOST[:PORT]`
    #[arg(long, value_name = "TARGET", default_value = "vm", env = "KORU_TARGET")]
    pub target: TargetName,
    /// Load into a real kernel without asking.
    #[arg(long, short)]
    pub yes: bool,
    /// Show how long each stage took.
    #[arg(long)]
    pub timings: bool,
    /// Run deterministically: the seed gives the guest's random numbers.
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    pub replay: Option<u64>,
    /// The command to run while the module is loaded.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

#[derive(Args)]
pub struct DebugArgs {
    /// Module name or folder, or a prebuilt .ko file [default: the current folder's].
    #[arg(value_name = "MODULE")]
    pub module: Option<String>,
    /// A module parameter.
    #[arg(short, long = "param", value_name = "KEY=VALUE")]
    pub params: Vec<String>,
    /// A command for gdb, after its own files.
    #[arg(long = "ex", value_name = "COMMAND", allow_hyphen_values = true)]
    pub command_of_gdb: Vec<String>,
    /// A file of commands for gdb.
    #[arg(short = 'x', long = "script", value_name = "FILE")]
    pub script: Vec<PathBuf>,
    /// End when gdb's commands are through.
    #[arg(long)]
    pub batch: bool,
    #[command(flatten)]
    pub kernel: KernelChoice,
    #[command(flatten)]
    pub machine: MachineArgs,
    /// The command to run while the module is loaded.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// The virtual machine's size.
#[derive(Args, Clone, PartialEq, Eq)]
pub struct MachineArgs {
    /// Processors of the guest.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub cpus: u32,
    /// Memory of the guest, in MiB.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(128..=65536))]
    pub memory: u32,
    /// Whether, under TCG, the guest's processors take turns.
    #[arg(skip)]
    pub in_turn: bool,
}

/// Which of the virtual machines that stay up.
#[derive(Args, Clone)]
pub struct VmArgs {
    /// The virtual machine's name.
    #[arg(long, value_name = "NAME", default_value = "default", env = "KORU_VM")]
    pub vm: String,
}

#[derive(Args, Clone)]
pub struct TargetArgs {
    /// Where: `vm`, `host` (this machine's own kernel), `ssh:[USER@]HOST[:PORT]`
    #[arg(long, value_name = "TARGET", default_value = "vm", env = "KORU_TARGET")]
    pub target: TargetName,
    #[command(flatten)]
    pub vm: VmArgs,
}

#[derive(Args)]
pub struct LoadArgs {
    /// Module name or folder, or a prebuilt .ko file [default: the current folder's].
    #[arg(value_name = "MODULE")]
    pub module: Option<String>,
    /// A module parameter.
    #[arg(short, long = "param", value_name = "KEY=VALUE")]
    pub params: Vec<String>,
    #[command(flatten)]
    pub kernel: KernelChoice,
    #[command(flatten)]
    pub target: TargetArgs,
    /// Load into a real kernel without asking.
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Args)]
pub struct UnloadArgs {
    /// Module name or folder [default: the current folder's].
    #[arg(value_name = "MODULE")]
    pub module: Option<String>,
    #[command(flatten)]
    pub target: TargetArgs,
}

#[derive(Args)]
pub struct LogArgs {
    /// This level and worse.
    #[arg(long, value_enum)]
    pub level: Option<Level>,
    /// Only records that contain this text.
    #[arg(long, value_name = "TEXT")]
    pub grep: Option<String>,
    /// Go on showing records as they come.
    #[arg(long, short)]
    pub follow: bool,
    /// Forget the records up to now.
    #[arg(long)]
    pub clear: bool,
    #[command(flatten)]
    pub target: TargetArgs,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Emerg,
    Alert,
    Crit,
    Err,
    Warn,
    Notice,
    Info,
    Debug,
}

#[derive(Args)]
pub struct DecodeArgs {
    /// The log; standard input without it, or with `-`.
    #[arg(value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// A module that was loaded there.
    #[arg(long, value_name = "FILE")]
    pub ko: Vec<PathBuf>,
    /// A module's debug info, NAME.ko.debug.
    #[arg(long, value_name = "FILE")]
    pub debug: Vec<PathBuf>,
}

#[derive(Args)]
pub struct ExecArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required = true,
        value_name = "COMMAND"
    )]
    pub command: Vec<String>,
}

#[derive(Subcommand)]
pub enum VmCommand {
    /// Start it.
    Start {
        #[command(flatten)]
        kernel: KernelChoice,
        #[command(flatten)]
        vm: VmArgs,
        #[command(flatten)]
        machine: MachineArgs,
    },
    /// Stop it.
    Stop {
        #[command(flatten)]
        vm: VmArgs,
    },
    /// Say whether it is up, and with which kernel.
    Status {
        #[command(flatten)]
        vm: VmArgs,
    },
}

#[derive(Args)]
pub struct VmServeArgs {
    #[command(flatten)]
    pub kernel: KernelChoice,
    #[command(flatten)]
    pub vm: VmArgs,
    #[command(flatten)]
    pub machine: MachineArgs,
}

#[derive(Subcommand)]
pub enum KernelCommand {
    /// Those that are here.
    List,
    /// Get one: a version, a package name, `running`, or a directory.
    Add {
        /// The version, package name or directory.
        what: String,
        /// Make it the default as well.
        #[arg(long)]
        default: bool,
    },
    /// Remove one (a directory of your own is only forgotten).
    Remove {
        /// Its release, or a beginning that no other has.
        kernel: String,
    },
    /// Show or choose the default.
    Default {
        /// The release of the one to choose, or its beginning.
        kernel: Option<String>,
    },
}

#[derive(Args)]
pub struct CleanArgs {
    /// Names or folders of modules (this folder's without them).
    #[arg(value_name = "MODULE")]
    pub modules: Vec<String>,
    /// Also the cache: kernels, sysroots, everything that set-up downloaded.
    #[arg(long)]
    pub cache: bool,
}

#[derive(Args)]
pub struct SetupArgs {
    /// Also what only `koru test` needs.
    #[arg(long)]
    pub tests: bool,
    /// Install without asking.
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Args)]
pub struct DoctorArgs {
    /// Also what only `koru test` needs.
    #[arg(long)]
    pub tests: bool,
}

#[derive(Args)]
pub struct EnvArgs {
    #[command(flatten)]
    pub kernel: KernelChoice,
}

#[derive(Args)]
pub struct EditorArgs {
    /// The folder that the editor opens (this one without it).
    pub folder: Option<PathBuf>,
    #[command(flatten)]
    pub kernel: KernelChoice,
}
