// SPDX-License-Identifier: MIT OR Apache-2.0

//! The command line: the commands and their help.

mod options;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use options::*;

#[derive(Parser)]
#[command(
    name = "koru",
    version,
    about = "Write, build, load and test Linux kernel modules in safe Rust, on stock kernels",
    after_help = "Examples:
  koru demo                                  see it work, in a virtual machine
  koru new demo1 --template proc             start a module of your own
  koru run demo1 -- cat /proc/demo1          build it, load it, run a command, show its log
  koru build --kernel 6.1                    only build, for another kernel

`koru <command> --help` has more of them. Exit status: 0 done, 1 failed, 2 wrong
usage, 3 something is not set up; `run` and `exec` pass on their command's own.",
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Machine-readable output; no progress.
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress, only results and errors.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Show kernel oopses and warnings as printed, in addition to decoded [env: KORU_RAW]
    #[arg(long, global = true)]
    pub raw: bool,
}

#[derive(Subcommand)]
pub enum Command {
    /// See it work: build the demo modules, run them in a virtual machine, show what they say.
    Demo(DemoArgs),
    /// Run the tests of the module or project in this folder, in virtual machines.
    #[command(after_help = "Examples:
  koru test                       on every supported kernel
  koru test hello                 the tests whose names contain `hello`
  koru test --kernel 6.1 --junit report.xml

In the checkout of Koru itself, it runs every check and test of Koru, as `koru dev test` does.")]
    Test(TestArgs),
    /// Run a contract's conformance tests against any module, in C or Rust.
    #[command(after_help = "Examples:
  koru verify full_ex                            Koru's own module
  koru verify full_ex --ko lab2/theirs.ko        a ready one, whatever it is called
  koru verify full_ex --src lab2                 a folder with a Makefile or Kbuild, built first
  koru verify my_timer --src lab3 --contract course.toml --markdown report.md
  koru verify full_ex --ko theirs.ko EFAULT      only promises with this word

An oops, a panic or a hang of the kernel is a CRASH: the next promise is tried in a
fresh virtual machine. `--src` runs make in a copy of the folder, on this machine.
Exit status: 0 every promise is kept, 1 some are not, 2 wrong usage.")]
    Verify(VerifyArgs),
    /// Start a module of your own: a folder, ready to build, with a test.
    #[command(after_help = "Examples:
  koru new demo1
  koru new counter --template proc && cd counter && koru run -- cat /proc/counter")]
    New(NewArgs),
    /// Build modules: NAME.ko.
    #[command(after_help = "Examples:
  koru build                      the module of this folder, or all of this workspace
  koru build hello my_timer       by name: of this workspace, or Koru's own
  koru build path/to/module --kernel 6.1
  koru build --kdir /lib/modules/$(uname -r)/build

Functions with larger stack frames than the kernel's config wants are warned about, and
dependencies with unsafe code of modules that forbid it are named.")]
    Build(BuildArgs),
    /// Load a module in a fresh virtual machine, run a command, show the log, unload.
    #[command(after_help = "Examples:
  koru run hello                          load, show its log, unload
  koru run my_timer -- cat /proc/timer    a command while it is loaded; its exit status is koru's
  koru run hello -- sh                    a shell while it is loaded
  koru run sample -p whom=you -p repeat=3 module parameters
  koru run my_timer --replay -- cat /proc/timer        the same time, log and output every time
  koru run my_timer --replay=7 -- cat /proc/timer      and with other random numbers
  koru run my_timer -- ./my_test          a static program of this machine is taken along
  koru run my_timer --target ssh:me@lab -- cat /proc/timer    all of it on another machine")]
    Run(RunArgs),
    /// Build and run a module again at every save; show what changed in its log.
    #[command(after_help = "Examples:
  koru watch hello                        save src/lib.rs, see the log's new and gone lines
  koru watch my_timer -- cat /proc/timer  with a command at every run
  koru watch lab2/theirs.ko               a ready file, whenever it is made anew
  koru watch hello --json                 one object a run, one a line

Watched: the module's folder, those of the crates it uses by path, Koru's kernel crate,
and the files that are taken along. A save during a run starts over. Ctrl-C ends it.")]
    Watch(RunArgs),
    /// Run a module under gdb, stopped where its init begins.
    #[command(after_help = "Examples:
  koru debug hello                                gdb's prompt, at the init of hello
  koru debug my_timer -- cat /proc/timer          with a command while it is loaded
  koru debug hello --ex bt --ex c --batch         without a prompt
  koru debug hello -x breakpoints.gdb

`c` lets it go on: the module is loaded, the command runs, the module is unloaded, the
guest ends. Ctrl-C interrupts the guest; quitting gdb ends it.")]
    Debug(DebugArgs),
    /// Load a module into the virtual machine that stays up (started when needed).
    #[command(after_help = "Examples:
  koru load my_timer && koru exec cat /proc/timer && koru unload my_timer
  koru load my_timer --target host        into this machine's own kernel; asks first
  koru load my_timer --target ssh:me@lab  into another machine's, over ssh; asks first")]
    Load(LoadArgs),
    /// Unload a module from the virtual machine, or another target.
    #[command(after_help = "Examples:
  koru unload my_timer
  koru unload my_timer --target ssh:me@lab:2222")]
    Unload(UnloadArgs),
    /// The modules that are loaded there, as lsmod shows them.
    #[command(after_help = "Examples:
  koru list
  koru list --target ssh:me@lab           of another machine's kernel")]
    List(TargetArgs),
    /// The kernel log.
    #[command(after_help = "Examples:
  koru log --level warn           warnings and worse
  koru log --grep hello --follow")]
    Log(LogArgs),
    /// Decode oopses and warnings in a kernel log to source lines.
    #[command(after_help = "Examples:
  koru decode oops.txt                     a saved log: of dmesg, journalctl, a console
  dmesg | koru decode                      or from standard input
  koru decode oops.txt --ko lab2/theirs.ko with the module that was loaded, in C or Rust
  koru decode oops.txt --debug full_ex.ko.debug --raw

Modules are found by name in the workspaces' build output. A .ko has its debug info in
it, or beside it in NAME.ko.debug. Other lines stay as they are; --json gives only the
reports.")]
    Decode(DecodeArgs),
    /// Run a command in the virtual machine, or another target; its exit status is koru's.
    #[command(after_help = "Examples:
  koru exec cat /proc/timer
  koru exec -- sh -c 'ls -l /proc | head'
  koru exec --target ssh:me@lab uname -a  on another machine, as root")]
    Exec(ExecArgs),
    /// A shell in the virtual machine, with the modules and programs at hand; or as root
    /// on another target.
    #[command(after_help = "Examples:
  koru shell                      `help` there says what is there; Ctrl-] leaves
  koru shell < commands           no terminal is needed
  koru shell --target ssh:me@lab")]
    Shell(TargetArgs),
    /// The virtual machine that stays up between commands.
    Vm {
        #[command(subcommand)]
        command: VmCommand,
    },
    /// Manage the kernels available for building and running.
    #[command(after_help = "Examples:
  koru kernel list
  koru kernel add 6.1                                 the newest such of the distribution
  koru kernel add linux-image-6.12.117+deb12-cloud-amd64
  koru kernel add running                             the running kernel's own build directory
  koru kernel add ~/src/linux --default               any KDIR, and from now on the default
  koru kernel default 6.1

Set-up gets Debian's 6.1 and 6.12, which Koru is tested on; the newer one is the default
until you choose another. Wherever a kernel is named, the beginning of its release will
do. It means a tested kernel, if it is the beginning of one: `6.1` is always that of
set-up, whatever else was added. If it is still ambiguous, koru asks for the full name.")]
    Kernel {
        #[command(subcommand)]
        command: KernelCommand,
    },
    /// Remove what `koru build` made.
    Clean(CleanArgs),
    /// Install and download what is missing.
    Setup(SetupArgs),
    /// Check that everything Koru needs is installed.
    Doctor(DoctorArgs),
    /// Print shell completions.
    #[command(after_help = "Examples:
  koru completions bash > ~/.local/share/bash-completion/completions/koru")]
    Completions { shell: clap_complete::Shell },
    /// Print the environment for tools that work on ring-0 crates (rust-analyzer, clippy).
    #[command(after_help = "Examples:
  eval \"$(koru env)\" && cargo clippy")]
    Env(EnvArgs),
    /// Set up rust-analyzer for the modules of a folder (.vscode/settings.json).
    Editor(EditorArgs),
    /// Check, test and measure Koru itself.
    Dev {
        #[command(subcommand)]
        command: DevCommand,
    },
    /// Run a test binary in a guest: cargo's runner.
    #[command(hide = true)]
    TestRunner {
        binary: PathBuf,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// The process behind `koru vm start`.
    #[command(hide = true)]
    VmServe(VmServeArgs),
}
