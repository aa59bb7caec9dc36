// SPDX-License-Identifier: MIT OR Apache-2.0

//! The command line: the commands and their help.

mod bench_args;
mod build_rules;
mod cache_args;
mod check_args;
mod contract_args;
mod dev_args;
mod fuzz_args;
mod grade_args;
mod kernel_choice;
mod options;
mod preflight_args;
mod verify_args;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use bench_args::BenchArgs;
pub use build_rules::BuildRules;
pub use cache_args::CacheCommand;
pub use check_args::{CheckArgs, Strength};
pub use contract_args::{ContractCheckArgs, ContractCommand, ContractNewArgs};
pub use dev_args::*;
pub use fuzz_args::FuzzArgs;
pub use grade_args::GradeArgs;
pub use kernel_choice::KernelChoice;
pub use options::*;
pub use preflight_args::PreflightArgs;
pub use verify_args::VerifyArgs;

#[derive(Parser)]
#[command(
    name = "koru",
    version,
    about = "Write, build, load and test Linux kernel modules in safe Rust or C, on stock kernels",
    after_help = "Examples:
  koru demo                                  run two demo modules in a virtual machine
  koru new demo1 --template proc             create a module of your own
  koru run demo1 -- cat /proc/demo1          build it, load it, run a command, show its log
  koru run lab2/                             build and run a module in C, from its Makefile
  koru build --kernel 6.1                    build for another kernel, without running

`koru <command> --help` has more examples. Exit status: 0 success, 1 failure, 2 wrong
usage, 3 something is not set up; `run` and `exec` return the status of their command.
With --json, a command prints its result, or each part of it on a line; an error is
{\"error\": {kind, context, message, help, output, status}}, or the field `error` of the result.",
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Print machine-readable JSON instead of text, also for an error, and no progress.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print results and errors only, no progress.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Show kernel oopses and warnings as printed, in addition to decoded [env: KORU_RAW]
    #[arg(long, global = true)]
    pub raw: bool,
}

impl Command {
    /// Returns why a command has no output in JSON, if it has none.
    pub fn refuses_json(&self) -> Option<&'static str> {
        match self {
            Command::Demo(_) => Some("`koru demo` shows a demonstration to people"),
            Command::Debug(_) => Some("`koru debug` is a dialogue with gdb"),
            Command::Shell(_) => Some("`koru shell` is a dialogue with a shell"),
            Command::Exec(_) => Some("`koru exec` prints the output of the command that it runs"),
            Command::Completions { .. } => Some("`koru completions` prints a script for a shell"),
            Command::Dev {
                command:
                    DevCommand::KernelsTable(_) | DevCommand::Bindings { .. } | DevCommand::Bench { .. },
            } => Some("this part of `koru dev` has no output in JSON"),
            Command::Contract {
                command: ContractCommand::Show { .. } | ContractCommand::Schema,
            } => Some("this part of `koru contract` prints a document"),
            _ => None,
        }
    }
}

#[derive(Subcommand)]
pub enum Command {
    /// Build two demo modules, run them in a virtual machine and show their output.
    Demo(DemoArgs),
    /// Run the tests of the module or project in this folder, in virtual machines.
    #[command(after_help = "Examples:
  koru test                       on every supported kernel
  koru test hello                 the tests whose names contain `hello`
  koru test --kernel 6.1 --junit report.xml
  koru test --kernel 5.10,6.12    on these kernels
  koru test --kernel all          on every kernel of `koru kernel list` that boots
  koru test --coverage            and which lines of the module they run

In a folder without a Cargo.toml, the tests are the programs and scripts in its folder tests:
*.c, *.rs and *.sh. Each runs while the module is loaded.

In the checkout of Koru itself, it runs every check and test of Koru, as `koru dev test` does.")]
    Test(TestArgs),
    /// Tell whether modules will work on a kernel, before a machine runs it.
    #[command(after_help = "Examples:
  koru preflight --kernel 6.12                   the modules in this folder
  koru preflight lab2/ driver.ko hello --kernel 6.1 --kernel 6.12
  koru preflight --kernel 6.12 --junit preflight.xml

Each module is built for the kernel, loaded and unloaded in a virtual machine that runs it, and
its tests run there, as in `koru test`. The verdict is a line for each module and kernel; the
reason of a no-go follows it. `koru kernel search` and `koru kernel add` get a kernel that the
distribution has, but this machine does not run yet.

Exit status: 0 all modules work, 1 some do not, 2 wrong usage, 3 something is not set up.")]
    Preflight(PreflightArgs),
    /// Look for faults in a module, with one strength after the other.
    #[command(after_help = "Examples:
  koru check                            the module in this folder, in every way
  koru check lab2 --minutes 3           a folder in C; begin no other check after 3 minutes
  koru check my_timer --only faults     only with allocations that fail
  koru check --keep-going --json

The checks, the cheapest first: the module is loaded and unloaded 2000 times; its tests run in a
guest that is harsh with memory; they run on the debug kernel (KASAN, lockdep and more); each
allocation, and each copy from or to user space, fails once while the module is loaded and while its
files are opened, read, written and polled; and random system calls are made on these files for the
time that is left, as `koru fuzz` does. The debug kernel is built by `koru kernel add debug`.

Exit status: 0 nothing was found, 1 something was, 2 wrong usage, 3 something is not set up.")]
    Check(CheckArgs),
    /// Make random system calls on a module's files, until the kernel complains.
    #[command(after_help = "Examples:
  koru fuzz                                  the module in this folder, for 10 minutes
  koru fuzz my_timer --minutes 2 --kernel 6.12
  koru fuzz lab2 --seed 7 --calls 100000     the same calls every time
  koru fuzz lab2 --keep overflow.calls       keep the calls that lead to what is found
  koru run lab2 --file overflow.calls -- ioshell --calls overflow.calls

The calls are made by threads and processes in a guest, with good and bad pointers, on each file in
/proc, /dev and debugfs that the module makes. On the debug kernel, which is the default if `koru
kernel add debug` has built it, the kernel's coverage guides them. What is found is replayed in
fresh guests with fewer and fewer calls.

Exit status: 0 nothing was found, 1 something was, 2 wrong usage, 3 something is not set up.")]
    Fuzz(FuzzArgs),
    /// Run a contract's conformance tests against any module, in C or Rust.
    #[command(after_help = "Examples:
  koru verify full_ex                            Koru's own module
  koru verify full_ex --ko lab2/theirs.ko        a prebuilt module, whatever its name is
  koru verify full_ex --src lab2                 a folder with a Makefile or Kbuild, built first
  koru verify my_timer --src lab3 --contract course.toml --markdown report.md
  koru verify full_ex --ko theirs.ko EFAULT      only the requirements that contain this word
  koru verify lab2/ --src students/ada           a contract of your own: see `koru contract`

An oops, a panic or a hang of the kernel counts as a CRASH, and the next requirement is
checked in a fresh virtual machine. `--src` runs make in a copy of the folder, in a sandbox
on this machine. Ctrl-C ends the checks; the reports then have the results so far. Exit
status: 0 all requirements are met, 1 some are not, 2 wrong usage, 3 something is not set up,
4 the module does not build, 130 ended by Ctrl-C.")]
    Verify(VerifyArgs),
    /// Judge the modules of a whole class by a contract, and write the results.
    #[command(after_help = "Examples:
  koru grade submissions/ --contract lab2 --out results
  koru grade moodle/ --contract proc_timer --out results --jobs 4 --kernel 6.1

Each entry of the folder is a student: a folder, an archive (.zip, .tar, .tar.gz), or one file;
the layouts of Moodle's and Canvas's downloads are known. Everything is built in a sandbox, and
every module runs in virtual machines of its own, within limits. A module that does not build,
never ends or brings its kernel down is one row of the results.

The results are grades.csv, index.html for the class, a page for each student, junit.xml, and
results.json for Gradescope and for GitHub Classroom. The same command again judges only what has
changed, and shows what that has changed for whom.

Exit status: 0 the class is graded, whatever the grades; 2 wrong usage, also for an error in the
contract; 3 something is not set up; 130 ended by Ctrl-C, and the results so far are written.")]
    Grade(GradeArgs),
    /// Write a contract for a lab of your own, check it, and print the handout.
    #[command(after_help = "Examples:
  koru contract new lab2                     an empty lab, with a module in C that keeps it
  koru contract new lab2 --from proc_timer   a lab that says what differs from one of Koru's
  koru contract check lab2                   the solution keeps it, and each wrong/NAME breaks it
  koru contract show lab2 > handout.md       what students read: no secret promises
  koru contract schema > contract.schema.json        for editors that complete TOML

A contract is a folder with a contract.toml: see docs/teach.md. `koru verify lab2 --src ada`
judges a module by it. Exit status: 0 success, 1 the contract does not hold what it says,
2 wrong usage, also for an error in the contract, 3 something is not set up.")]
    Contract {
        #[command(subcommand)]
        command: ContractCommand,
    },
    /// Count the instructions that a module takes, exactly, and compare modules.
    #[command(after_help = "Examples:
  koru bench lab2/                               what loading and unloading takes, and the sizes
  koru bench hello_proc --op 'read /proc/hello 64'
  koru bench mine/ --against theirs.ko --op 'read /proc/x 4096' --op 'write /proc/x 100'
  koru bench hello_proc --against lab2/ --kernel 6.1 --json
  koru bench mine/ --op 'read /proc/x 64' --profile       also the functions that it takes them in

All modules are measured in one run of one virtual machine, whose clock counts instructions:
two runs give the same numbers, on any machine. See docs/performance.md.

An operation is one call, or steps of which those in brackets are counted:
  open PATH, close PATH, open+close PATH, open+read+close PATH N, open+write+close PATH N
  read PATH N, write PATH N       from the start of the file, which stays open
  pread PATH N@AT, pwrite PATH N@AT
  open PATH; write hex:64; repeat write hex:02000000; [read 4]
                                  steps before `repeat` are done once, those after it in each
                                  sample: open PATH, close, read N, pread N@AT, write N,
                                  pwrite N@AT, seek AT, getpid
  hold PATH 100 hex:64            let 100 processes open the file, write a byte and wait
What is written is N letters, or the bytes after `hex:`.

Exit status: 0 success, 1 an operation failed, 2 wrong usage, 3 something is not set up.")]
    Bench(BenchArgs),
    /// Create a module from a template, with a test.
    #[command(after_help = "Examples:
  koru new demo1
  koru new counter --template proc && cd counter && koru run -- cat /proc/counter
  koru new old1 --kernel 6.1      its Makefile and the editor's settings use this kernel
  koru new lab2 --lab proc_timer  what a student begins a lab with (docs/teach.md)

In a cargo workspace, the module becomes a member of that workspace.")]
    New(NewArgs),
    /// Build modules for a kernel.
    #[command(after_help = "Examples:
  koru build                      the module in this folder, or all modules of this workspace
  koru build hello my_timer       modules of this workspace or of Koru, by name
  koru build path/to/module --kernel 6.1
  koru build lab2/                a folder with a Kbuild or Makefile, built in a copy
  koru build lab2/queue.c         one file in C; a .rs file works as well
  koru build --kdir /lib/modules/$(uname -r)/build

Each module becomes a file NAME.ko. The build warns about functions whose stack frames are
larger than the kernel's config allows, and lists dependencies with unsafe code for modules
that forbid it.")]
    Build(BuildArgs),
    /// Load a module in a fresh virtual machine, run a command, show the log, and unload it.
    #[command(after_help = "Examples:
  koru run hello                          load, show its log, unload
  koru run my_timer -- cat /proc/timer    run a command while it is loaded, return its exit status
  koru run hello -- sh                    a shell while it is loaded
  koru run lab2/ --module queue           a folder with a Makefile, and one of its modules
  koru run sample -p whom=you -p repeat=3 module parameters
  koru run my_timer --replay -- cat /proc/timer        the same times, log and output every time
  koru run my_timer --replay=7 -- cat /proc/timer      the same with another random seed
  koru run my_timer -- ./my_test          copy a static program of this machine and run it; so
                                          does an absolute path at which the guest has nothing
  koru run my_timer --target ssh:me@lab -- cat /proc/timer    do all of it on another machine")]
    Run(RunArgs),
    /// Rebuild and rerun a module on every save, and show what changed in its log.
    #[command(after_help = "Examples:
  koru watch hello                        save src/lib.rs, see which lines of the log changed
  koru watch my_timer -- cat /proc/timer  run a command each time
  koru watch lab2/theirs.ko               rerun a prebuilt module whenever it is rebuilt
  koru watch hello --json                 print one JSON object per run and line

Koru watches the module's folder, the folders of the crates that it uses by path, the
kernel crate and the files that are copied. A save during a run restarts the run. Press
Ctrl-C to stop.")]
    Watch(RunArgs),
    /// Run a module under gdb, stopped at the beginning of its init.
    #[command(after_help = "Examples:
  koru debug hello                                gdb's prompt, at the init of hello
  koru debug my_timer -- cat /proc/timer          run a command while it is loaded
  koru debug hello --ex bt --ex c --batch         without a prompt
  koru debug hello -x breakpoints.gdb

`c` continues: the module is loaded, the command runs, the module is unloaded, and the
guest powers off. Ctrl-C interrupts the guest; quitting gdb ends it.")]
    Debug(DebugArgs),
    /// Load a module into the virtual machine of `koru vm`, which is started when needed.
    #[command(after_help = "Examples:
  koru load my_timer && koru exec cat /proc/timer && koru unload my_timer
  koru load my_timer --fresh              restart the virtual machine first, as after an oops
  koru load my_timer --target host        load into this machine's own kernel; asks first
  koru load my_timer --target ssh:me@lab  load into another machine's kernel; asks first")]
    Load(LoadArgs),
    /// Build a module, unload it if it is loaded, and load it.
    #[command(after_help = "Examples:
  koru reload                             after an edit of the module in this folder
  koru reload my_timer -p interval=100

If the module does not build, the loaded one stays.")]
    Reload(LoadArgs),
    /// Unload a module from the virtual machine of `koru vm` or another target.
    #[command(after_help = "Examples:
  koru unload my_timer
  koru unload my_timer --target ssh:me@lab:2222")]
    Unload(UnloadArgs),
    /// List the loaded modules, as lsmod does.
    #[command(after_help = "Examples:
  koru list
  koru list --target ssh:me@lab           the modules of another machine's kernel")]
    List(TargetArgs),
    /// Show the kernel log.
    #[command(after_help = "Examples:
  koru log --level warn           warnings and more severe records
  koru log --grep hello --follow")]
    Log(LogArgs),
    /// Decode oopses and warnings in a kernel log to source lines.
    #[command(after_help = "Examples:
  koru decode oops.txt                     a log saved from dmesg, journalctl or a console
  dmesg | koru decode                      the same from standard input
  koru decode oops.txt --ko lab2/theirs.ko with the module that was loaded, in C or Rust
  koru decode oops.txt --debug full_ex.ko.debug --raw

Modules are found by name in the build output of the workspaces. The debug info of a .ko
is in the file itself or beside it, in NAME.ko.debug. Other lines are printed unchanged;
--json prints the reports only.

The exit status is 0 if the kernel reports something in the log, and 1 if it does not.")]
    Decode(DecodeArgs),
    /// Run a command in the virtual machine of `koru vm` or on another target.
    ///
    /// The exit status is that of the command.
    #[command(after_help = "Examples:
  koru exec cat /proc/timer
  koru exec -- sh -c 'ls -l /proc | head'
  koru exec --target ssh:me@lab uname -a  run on another machine, as root")]
    Exec(ExecArgs),
    /// Open a root shell in the virtual machine of `koru vm` or on another target.
    ///
    /// The shell of a virtual machine has this workspace's modules and programs at hand.
    #[command(after_help = "Examples:
  koru shell                      type `help` there for a list; Ctrl-] leaves
  koru shell < commands           run commands without a terminal
  koru shell --target ssh:me@lab")]
    Shell(TargetArgs),
    /// Manage the virtual machine that stays up between commands.
    Vm {
        #[command(subcommand)]
        command: VmCommand,
    },
    /// Manage the kernels available for building and running.
    #[command(after_help = "Examples:
  koru kernel list
  koru kernel add 6.1                                 the distribution's newest 6.1
  koru kernel add linux-image-6.12.117+deb12-cloud-amd64
  koru kernel add running                             the running kernel's own build directory
  koru kernel add ~/src/linux --default               any KDIR, as the new default
  koru kernel default 6.1

`koru setup` downloads Debian's 6.1 and 6.12, with which Koru is tested; the newer one is
the default until you choose another. Wherever a kernel is named, the beginning of its
release is enough. Tested kernels come first: `6.1` always means the one of `koru setup`,
whatever else was added. If a name is ambiguous, koru asks for the full one.")]
    Kernel {
        #[command(subcommand)]
        command: KernelCommand,
    },
    /// Show which kernels have which APIs of the `kernel` crate.
    #[command(after_help = "Examples:
  koru api                        every API, on every kernel of `koru kernel list`
  koru api kprobe                 what contains this word
  koru api --kernel 5.10,6.12     on these kernels

Each kernel's own compiler says what the kernel has. A module that uses an API which a kernel
lacks does not compile for it, and the error says since which release there is one.")]
    Api(ApiArgs),
    /// Carry the cache to other machines, which need no network then.
    #[command(after_help = "Examples:
  koru cache export koru-cache.tar.gz     write kernels, tools and crates to one file
  koru cache import koru-cache.tar.gz     take them on another machine")]
    Cache {
        #[command(subcommand)]
        command: CacheCommand,
    },
    /// Remove the output of `koru build`, or what is in the cache.
    #[command(after_help = "Examples:
  koru clean                           what was built of the modules in this folder
  koru clean --cache --unused-for 30   what the cache has and nobody used for 30 days
  koru clean --cache --max-size 4000   what was used last stays, in 4000 MiB

`koru doctor` says what takes how much.")]
    Clean(CleanArgs),
    /// Install and download what Koru needs.
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
    /// Run a test binary in a guest, as cargo's runner.
    #[command(hide = true)]
    TestRunner {
        binary: PathBuf,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run the process behind `koru vm start`.
    #[command(hide = true)]
    VmServe(VmServeArgs),
}

impl Command {
    /// Returns the rules for builds that the command line has.
    pub fn build_rules(&self) -> BuildRules {
        match self {
            Command::Test(a) => a.rules.clone(),
            Command::Preflight(a) => a.rules.clone(),
            Command::Check(a) => a.rules.clone(),
            Command::Fuzz(a) => a.rules.clone(),
            Command::Verify(a) => a.rules.clone(),
            Command::Bench(a) => a.rules.clone(),
            Command::Grade(a) => a.rules.clone(),
            Command::Contract {
                command: ContractCommand::Check(a),
            } => a.rules.clone(),
            Command::Build(a) => a.rules.clone(),
            Command::Run(a) | Command::Watch(a) => a.rules.clone(),
            Command::Debug(a) => a.rules.clone(),
            Command::Load(a) | Command::Reload(a) => a.rules.clone(),
            _ => BuildRules::default(),
        }
    }
}
