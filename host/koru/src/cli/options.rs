// SPDX-License-Identifier: MIT OR Apache-2.0

//! Defines the options of each command.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::{
    cli::{build_rules::BuildRules, kernel_choice::KernelChoice},
    target::name::TargetName,
};

#[derive(Args)]
pub struct DemoArgs {
    #[command(flatten)]
    pub kernel: KernelChoice,
    /// Install missing packages without asking.
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Args, Clone)]
pub struct TestArgs {
    /// Run the tests whose names contain one of these words [default: all tests]
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Test on these kernels of `koru kernel list`, separated by commas, or on `all` that boot
    /// [default: every kernel of `koru setup`]
    #[arg(long = "kernel", value_name = "RELEASE", value_delimiter = ',')]
    pub kernels: Vec<String>,
    #[command(flatten)]
    pub rules: BuildRules,
    /// Leave out the checks for wrong uses of memory, which take time.
    #[arg(long)]
    pub plain: bool,
    /// Report which lines and functions of the modules ran, also as lcov and HTML files in the
    /// folder `coverage` beside the JUnit report.
    #[arg(long)]
    pub coverage: bool,
    /// Write the JUnit report to this file.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Install missing packages without asking.
    #[arg(long, short)]
    pub yes: bool,
}

impl TestArgs {
    /// Returns the choices of kernels by name.
    pub fn kernel_choices(&self) -> Vec<KernelChoice> {
        self.kernels.iter().map(KernelChoice::named).collect()
    }
}

#[derive(Args)]
pub struct ApiArgs {
    /// Show what contains this word [default: everything]
    #[arg(value_name = "WORD")]
    pub word: Option<String>,
    /// Show these kernels of `koru kernel list`, separated by commas [default: all of them]
    #[arg(long = "kernel", value_name = "RELEASE", value_delimiter = ',')]
    pub kernels: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Template {
    /// Log a message on load and unload.
    Hello,
    /// Provide a file in /proc that can be read and written.
    Proc,
    /// Provide a character device in /dev.
    Chardev,
}

#[derive(Args)]
pub struct NewArgs {
    /// Name of the module, or path of its folder, whose last part is the name.
    #[arg(value_name = "NAME")]
    pub path: PathBuf,
    /// Start from this template [default: hello, or with --lab a module in C]
    #[arg(long, short, value_enum)]
    pub template: Option<Template>,
    /// Make a student's lab by this contract: a module with the handout, the public promises, and
    /// files for GitHub, GitLab and devcontainers.
    #[arg(long, value_name = "CONTRACT")]
    pub lab: Option<String>,
    #[command(flatten)]
    pub kernel: KernelChoice,
}

/// The choice of the module to load.
#[derive(Args, Clone)]
pub struct ModuleChoice {
    /// Module name, folder, .c or .rs file, or built .ko file [default: the current folder]
    #[arg(value_name = "MODULE")]
    pub source: Option<String>,
    /// Load this one of the modules that are built from MODULE.
    #[arg(long = "module", value_name = "NAME")]
    pub name: Option<String>,
}

#[derive(Args)]
pub struct BuildArgs {
    /// Names, folders or files of modules [default: all modules in the current folder]
    #[arg(value_name = "MODULE")]
    pub modules: Vec<String>,
    #[command(flatten)]
    pub kernel: KernelChoice,
    #[command(flatten)]
    pub rules: BuildRules,
}

#[derive(Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub module: ModuleChoice,
    /// Set a module parameter.
    #[arg(short, long = "param", value_name = "KEY=VALUE")]
    pub params: Vec<String>,
    /// Copy this file to the command's folder, /root in a guest.
    #[arg(long, value_name = "PATH")]
    pub file: Vec<PathBuf>,
    #[command(flatten)]
    pub kernel: KernelChoice,
    #[command(flatten)]
    pub rules: BuildRules,
    #[command(flatten)]
    pub machine: MachineArgs,
    /// Run on `vm` (a fresh one), `host` (this machine's kernel) or `ssh:[USER@]HOST[:PORT]`
    #[arg(long, value_name = "TARGET", default_value = "vm", env = "KORU_TARGET")]
    pub target: TargetName,
    /// Load into the kernel of this or another machine without asking.
    #[arg(long, short)]
    pub yes: bool,
    /// End the run after this time, for loading, the command and unloading together.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Show how long each stage took.
    #[arg(long)]
    pub timings: bool,
    /// Run deterministically, with this seed for the guest's random numbers [default seed: 1]
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    pub replay: Option<u64>,
    /// Command to run while the module is loaded.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

#[derive(Args)]
pub struct DebugArgs {
    #[command(flatten)]
    pub module: ModuleChoice,
    /// Set a module parameter.
    #[arg(short, long = "param", value_name = "KEY=VALUE")]
    pub params: Vec<String>,
    /// Execute this gdb command at the prompt.
    #[arg(long = "ex", value_name = "COMMAND", allow_hyphen_values = true)]
    pub command_of_gdb: Vec<String>,
    /// Execute the gdb commands in this file.
    #[arg(short = 'x', long = "script", value_name = "FILE")]
    pub script: Vec<PathBuf>,
    /// Exit after the gdb commands, without a prompt.
    #[arg(long)]
    pub batch: bool,
    #[command(flatten)]
    pub kernel: KernelChoice,
    #[command(flatten)]
    pub rules: BuildRules,
    #[command(flatten)]
    pub machine: MachineArgs,
    /// Command to run while the module is loaded.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// The virtual machine's size.
#[derive(Args, Clone, PartialEq, Eq)]
pub struct MachineArgs {
    /// Number of the guest's processors.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=64)
    )]
    pub cpus: u32,
    /// Size of the guest's memory in MiB.
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 256,
        value_parser = clap::value_parser!(u32).range(128..=65536)
    )]
    pub memory: u32,
    /// Add arguments to the command line of the guest's kernel.
    #[arg(long, value_name = "ARGUMENTS", allow_hyphen_values = true)]
    pub append: Vec<String>,
    /// Boot the kernel with all of its checks for wrong uses of memory.
    ///
    /// Reports name who allocated and freed the memory, and what a module does not free is left
    /// behind. `koru test` and `koru verify` do this by themselves.
    #[arg(long)]
    pub harsh: bool,
    /// Whether, under TCG, the guest's processors take turns.
    #[arg(skip)]
    pub in_turn: bool,
}

/// The choice of one of the virtual machines that stay up.
#[derive(Args, Clone)]
pub struct VmArgs {
    /// Use the virtual machine of this name.
    #[arg(long, value_name = "NAME", default_value = "default", env = "KORU_VM")]
    pub vm: String,
}

#[derive(Args, Clone)]
pub struct TargetArgs {
    /// Use `vm` (that of `koru vm`), `host` (this machine's kernel) or `ssh:[USER@]HOST[:PORT]`
    #[arg(long, value_name = "TARGET", default_value = "vm", env = "KORU_TARGET")]
    pub target: TargetName,
    #[command(flatten)]
    pub vm: VmArgs,
}

#[derive(Args)]
pub struct LoadArgs {
    #[command(flatten)]
    pub module: ModuleChoice,
    /// Set a module parameter.
    #[arg(short, long = "param", value_name = "KEY=VALUE")]
    pub params: Vec<String>,
    /// Restart the virtual machine first, without modules and with a kernel that has not oopsed.
    #[arg(long)]
    pub fresh: bool,
    #[command(flatten)]
    pub kernel: KernelChoice,
    #[command(flatten)]
    pub rules: BuildRules,
    #[command(flatten)]
    pub target: TargetArgs,
    /// Load into the kernel of this or another machine without asking.
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Args)]
pub struct UnloadArgs {
    /// Module name, folder or file [default: the current folder]
    #[arg(value_name = "MODULE")]
    pub module: Option<String>,
    #[command(flatten)]
    pub target: TargetArgs,
}

#[derive(Args)]
pub struct LogArgs {
    /// Show records of this level and more severe ones.
    #[arg(long, value_enum)]
    pub level: Option<Level>,
    /// Show records that contain this text.
    #[arg(long, value_name = "TEXT")]
    pub grep: Option<String>,
    /// Keep running and show new records as they arrive.
    #[arg(long, short)]
    pub follow: bool,
    /// Clear the log instead of showing it.
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
    /// Log file, or `-` for standard input [default: standard input]
    #[arg(value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Use this module, which was loaded when the log was written.
    #[arg(long, value_name = "FILE")]
    pub ko: Vec<PathBuf>,
    /// Use this module's debug info, NAME.ko.debug.
    #[arg(long, value_name = "FILE")]
    pub debug: Vec<PathBuf>,
}

#[derive(Args)]
pub struct ExecArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// Command to run, with its arguments.
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
    /// Start the virtual machine.
    Start {
        #[command(flatten)]
        kernel: KernelChoice,
        #[command(flatten)]
        vm: VmArgs,
        #[command(flatten)]
        machine: MachineArgs,
    },
    /// Stop the virtual machine.
    Stop {
        #[command(flatten)]
        vm: VmArgs,
    },
    /// Stop the virtual machine, and start it again without modules.
    ///
    /// The kernel is the same unless another one is chosen.
    Restart {
        #[command(flatten)]
        kernel: KernelChoice,
        #[command(flatten)]
        vm: VmArgs,
        #[command(flatten)]
        machine: MachineArgs,
    },
    /// Show whether the virtual machine is up, and with which kernel.
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
    /// List the available kernels.
    List,
    /// Search Debian's archive for kernels to add.
    #[command(after_help = "\
Examples:
  koru kernel search              every kernel of every suite
  koru kernel search trixie       those of trixie, with its backports
  koru kernel search 6.12-rt      real-time kernels of one version")]
    Search {
        /// Suite, version, or both (`trixie/7.3`), with a flavour if wanted (`6.1-rt`).
        #[arg(value_name = "WORD")]
        what: Option<String>,
    },
    /// Add a kernel by downloading it, from package files, or by registering a build directory.
    ///
    /// Package files of any distribution, .deb or .rpm, are unpacked in the cache. Give all that
    /// belong to the kernel: headers, image, modules.
    ///
    /// If this machine's compiler and tools do not build for it, those of the kernel's suite are
    /// downloaded to the cache as well.
    ///
    /// `debug` and `kcsan` are built from Debian's sources, which takes about 10 minutes.
    #[command(after_help = "\
Examples:
  koru kernel add 5.10            the newest of this version
  koru kernel add 6.1-rt          its real-time flavour; others are cloud and generic
  koru kernel add trixie/7.3      from a suite of Debian's archive or its backports
  koru kernel add sid             the newest of a suite
  koru kernel add debug           6.12 with KASAN, lockdep and more, built here; or 6.1-debug, kcsan
  koru kernel add running         the kernel of this machine
  koru kernel add /usr/src/linux  a build directory
  koru kernel add linux-*.deb     packages of any distribution, also .rpm")]
    Add {
        /// Version, suite, package name, build directory, `running` for the running kernel, or
        /// package files.
        #[arg(value_name = "KERNEL", required = true)]
        what: Vec<String>,
        /// Make the kernel the default.
        #[arg(long)]
        default: bool,
    },
    /// Remove a kernel.
    ///
    /// A build directory of your own stays where it is; Koru only stops listing it.
    Remove {
        /// Release of the kernel, or an unambiguous beginning of it.
        #[arg(value_name = "RELEASE")]
        kernel: String,
    },
    /// Show or set the default kernel.
    Default {
        /// Release of the new default, or its beginning [default: show the current one]
        #[arg(value_name = "RELEASE")]
        kernel: Option<String>,
    },
}

#[derive(Args)]
pub struct CleanArgs {
    /// Names, folders or files of modules [default: all modules in the current folder]
    #[arg(value_name = "MODULE")]
    pub modules: Vec<String>,
    /// Remove the cache: kernels, sysroots and everything else that `koru setup` downloaded.
    #[arg(long)]
    pub cache: bool,
    /// Remove from the cache only what was not used for this many days. Kernels and tools stay.
    #[arg(long, value_name = "DAYS", requires = "cache")]
    pub unused_for: Option<u32>,
    /// Remove from the cache only so much that the rest takes at most this much: first what was not
    /// used for the longest time. Kernels and tools stay.
    #[arg(long, value_name = "MIB", requires = "cache")]
    pub max_size: Option<u64>,
}

#[derive(Args)]
pub struct SetupArgs {
    /// Install what only `koru test` needs as well.
    #[arg(long)]
    pub tests: bool,
    /// Install without asking.
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Args)]
pub struct DoctorArgs {
    /// Check what only `koru test` needs as well.
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
    /// Folder that the editor opens [default: the current folder]
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
    #[command(flatten)]
    pub kernel: KernelChoice,
}
