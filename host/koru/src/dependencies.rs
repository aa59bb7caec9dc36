// SPDX-License-Identifier: MIT OR Apache-2.0

//! What Koru needs on the machine: checks whether it is installed, and installs it.

use std::{
    env,
    io::IsTerminal,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kbuild::{Builder, Toolchain};
use koru_kernels::{Cache, Home, Kernels, Progress, SUPPORTED, apt, busybox};

use crate::ask::{Answer, ask};

/// One line of `koru doctor`.
#[derive(Debug, serde::Serialize)]
pub struct CheckLine {
    pub what: &'static str,
    pub ok: bool,
    /// What was found, or what is wrong.
    pub found: String,
    /// How to install it.
    pub help: Option<String>,
    /// The packages of the distribution that contain it.
    #[serde(skip)]
    pub packages: Vec<String>,
}

/// A program that comes from a package of the distribution.
struct Program {
    what: &'static str,
    name: &'static str,
    /// The alternative sets of packages, of which the first that the distribution has is
    /// installed.
    packages: &'static [&'static [&'static str]],
}

const PROGRAMS: &[Program] = &[
    Program {
        what: "make",
        name: "make",
        packages: &[&["make"]],
    },
    Program {
        what: "linker and binary tools",
        name: "objcopy",
        packages: &[&["binutils"]],
    },
    Program {
        what: "virtual machine",
        name: "qemu-system-x86_64",
        packages: &[&["qemu-system-x86"]],
    },
    Program {
        what: "package unpacker",
        name: "dpkg-deb",
        packages: &[&["dpkg"]],
    },
];

/// The cache entry for the ssh server that the tests of `--target ssh:` put into their guests.
/// Installed as a package, it would be a daemon on this machine.
pub const SSH_SERVER: &str = "ssh-server";

const DEBUGGER: Program = Program {
    what: "debugger",
    name: "gdb",
    packages: &[&["gdb"]],
};

const TEST_PROGRAMS: &[Program] = &[
    DEBUGGER,
    Program {
        what: "ssh",
        name: "ssh",
        packages: &[&["openssh-client"]],
    },
    Program {
        what: "shellcheck",
        name: "shellcheck",
        packages: &[&["shellcheck"]],
    },
    Program {
        what: "strace",
        name: "strace",
        packages: &[&["strace"]],
    },
];

/// Checks all dependencies without changing anything.
pub fn check_all(home: &Home, tests: bool) -> Vec<CheckLine> {
    let cache = Cache::new(&home.cache);
    let mut lines = Vec::new();
    lines.push(cargo());
    lines.push(toolchain(&cache));
    lines.extend(PROGRAMS.iter().map(program));
    lines.extend(compilers(&cache));
    lines.push(libelf());
    lines.push(agent());
    for kernel in SUPPORTED {
        lines.push(kernel_line(&cache, kernel));
    }
    lines.push(busybox_line(&cache));
    if tests {
        lines.extend(TEST_PROGRAMS.iter().map(program));
        lines.push(ssh_server_line(&cache));
        lines.push(rustfmt());
        lines.push(clippy(&cache));
        lines.push(libclang());
    }
    lines
}

/// Installs everything that [`check_all`] finds missing.
pub fn install_missing(home: &Home, tests: bool, yes: bool, report: &dyn Progress) -> Result<()> {
    let packages: Vec<String> = check_all(home, tests)
        .into_iter()
        .filter(|l| !l.ok)
        .flat_map(|l| l.packages)
        .collect();
    if !packages.is_empty() {
        install(packages, yes, report)?;
    }
    let cache = Cache::new(&home.cache);
    let kernels = Kernels::new(&cache);
    let no_kernel = SUPPORTED.iter().any(|k| kernels.supported(k).is_none());
    let no_server = tests && !ssh_server_line(&cache).ok;
    if no_kernel || !busybox_line(&cache).ok || no_server {
        // This is best effort: a download may work even with old lists.
        if is_root() && apt::names("linux-headers-")?.is_empty() {
            apt_get(&["update"], report)?;
        }
    }
    let mut missing = SUPPORTED.to_vec();
    missing.retain(|k| match kernels.set_up(k, report) {
        Ok(_) => false,
        Err(e) if e.kind == Kind::Usage => {
            report.print(&format!("note: this distribution has no {k} kernel: {e}"));
            false
        }
        Err(e) => {
            report.print(&format!("{e}"));
            true
        }
    });
    busybox(&cache, report)?;
    if tests {
        ssh_server(&cache, report)?;
    }
    if let Some(kernel) = missing.first() {
        return kernels.set_up(kernel, report).map(|_| ());
    }
    // This installs the compilers that the new kernels need, and everything else.
    let left: Vec<CheckLine> = check_all(home, tests)
        .into_iter()
        .filter(|l| !l.ok)
        .collect();
    let packages: Vec<String> = left.iter().flat_map(|l| l.packages.clone()).collect();
    if !packages.is_empty() {
        install(packages, yes, report)?;
    }
    if let Some(line) = check_all(home, tests)
        .into_iter()
        .find(|l| !l.ok && !l.what.starts_with("kernel"))
    {
        let mut error = Error::new(
            Kind::Missing,
            format!("setting up: {}", line.what),
            line.found,
        );
        error.help = line.help;
        return Err(error);
    }
    Ok(())
}

/// Installs gdb, which only `koru debug` needs.
pub fn debugger(report: &dyn Progress) -> Result<()> {
    match program(&DEBUGGER) {
        line if line.ok => Ok(()),
        line => install(line.packages, false, report),
    }
}

/// Builds core and the C interface layer for every supported kernel, so that the first module
/// does not wait for them. (Kernels that the user adds are tried when they are added.)
pub fn prebuild(home: &Home, report: &dyn Progress) -> Result<()> {
    let kernels = Kernels::new(&Cache::new(&home.cache));
    let built: Vec<Result<()>> = std::thread::scope(|s| {
        let trees = SUPPORTED.iter().filter_map(|k| kernels.supported(k));
        let each: Vec<_> = trees
            .map(|tree| s.spawn(|| Builder::new(home, &tree?, report).map(|_| ())))
            .collect();
        each.into_iter()
            .map(|b| b.join().expect("it returns its errors"))
            .collect()
    });
    built.into_iter().collect()
}

fn install(mut packages: Vec<String>, yes: bool, report: &dyn Progress) -> Result<()> {
    packages.sort();
    packages.dedup();
    let list = packages.join(" ");
    let command = format!("apt-get install --no-install-recommends {list}");
    let error = |message: &str| {
        Error::new(Kind::Missing, "installing missing packages", message)
            .help(format!("as root: {command}"))
    };
    if !koru_kernels::on_path("apt-get") {
        return Err(error("this is not a Debian or Ubuntu machine (no apt-get)"));
    }
    let terminal = std::io::stdin().is_terminal();
    if !yes && terminal {
        report.print(&format!("To install: {list}"));
        if !ask("Install these packages now?", Answer::Yes) {
            return Err(error("declined"));
        }
    } else if !yes && !is_root() {
        return Err(error(
            "not root, and there is no terminal to ask on; --yes installs without \
                          asking",
        ));
    }
    if !is_root() && !koru_kernels::on_path("sudo") {
        return Err(error("not root, and sudo is not installed"));
    }
    apt_get(&["update"], report)?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages.iter().map(String::as_str));
    apt_get(&arguments, report).map_err(|e| match e.help {
        Some(_) => e,
        None => e.help(format!("run it as root to see why: {command}")),
    })
}

fn apt_get(arguments: &[&str], report: &dyn Progress) -> Result<()> {
    report.status(&format!("apt-get {}", arguments.join(" ")));
    let mut command = if is_root() {
        Command::new("apt-get")
    } else {
        // `sudo` uses the terminal directly, so its question is visible although output is
        // captured.
        let mut sudo = Command::new("sudo");
        sudo.args(["--", "apt-get"]);
        sudo
    };
    command
        .args(["-qq", "-o", "DPkg::Lock::Timeout=300"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("LC_ALL", "C");
    koru_kernels::run(&mut command, "installing missing packages").map(|_| ())
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn line(what: &'static str, found: std::result::Result<String, String>) -> CheckLine {
    let (ok, found) = match found {
        Ok(found) => (true, found),
        Err(message) => (false, message),
    };
    CheckLine {
        what,
        ok,
        found,
        help: None,
        packages: Vec::new(),
    }
}

impl CheckLine {
    /// Adds how to install it: by the first of these sets of packages that apt has.
    fn packages(mut self, alternatives: &[&[&str]]) -> CheckLine {
        if !self.ok {
            let set = alternatives
                .iter()
                .find(|set| set.iter().all(|p| apt::available(p)))
                .or(alternatives.first());
            self.packages = set
                .iter()
                .flat_map(|s| s.iter())
                .map(|p| p.to_string())
                .collect();
            self.help = Some(format!("apt-get install {}", self.packages.join(" ")));
        }
        self
    }

    fn help(mut self, help: &str) -> CheckLine {
        if !self.ok {
            self.help = Some(help.to_owned());
        }
        self
    }
}

fn program(p: &Program) -> CheckLine {
    let found = find(p.name)
        .map(|path| path.display().to_string())
        .ok_or_else(|| format!("no `{}` on the PATH", p.name));
    line(p.what, found).packages(p.packages)
}

fn find(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|d| d.join(name))
        .find(|p| p.is_file())
}

fn first_line(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output
        .status
        .success()
        .then(|| text.lines().next().unwrap_or_default().to_owned())
}

fn cargo() -> CheckLine {
    let found = first_line(Command::new("cargo").arg("-V")).ok_or("no `cargo`".to_owned());
    line("cargo", found).packages(&[&["cargo-web"], &["cargo"]])
}

fn toolchain(cache: &Cache) -> CheckLine {
    let found = Toolchain::find(cache)
        .map(|t| {
            format!(
                "{} {}, library {}",
                t.rustc.display(),
                t.release,
                t.library.display()
            )
        })
        .map_err(|e| e.message);
    line("rustc and library source", found)
        .packages(&[&["rustc-web", "rust-web-src"], &["rustc", "rust-src"]])
}

/// Checks the compiler that each kernel here was built with, which Kbuild needs.
fn compilers(cache: &Cache) -> Vec<CheckLine> {
    let kernels = Kernels::new(cache);
    let mut wanted: Vec<String> = kernels
        .releases()
        .iter()
        .filter_map(|r| kernels.exactly(r)?.ok())
        .filter_map(|t| {
            let text = t.config.get("CC_VERSION_TEXT")?;
            let compiler = text.split_whitespace().next()?;
            Some(compiler.to_owned())
        })
        .collect();
    wanted.sort();
    wanted.dedup();
    if wanted.is_empty() {
        wanted.push("gcc".into());
    }
    wanted
        .iter()
        .map(|compiler| {
            let package = compiler.trim_start_matches("x86_64-linux-gnu-");
            let found = find(compiler)
                .map(|p| p.display().to_string())
                .ok_or_else(|| {
                    format!(
                        "no `{compiler}`, with which an installed kernel was \
                                        built"
                    )
                });
            line("the kernel's compiler", found).packages(&[&[package]])
        })
        .collect()
}

fn libelf() -> CheckLine {
    let found = [
        "/lib/x86_64-linux-gnu",
        "/usr/lib/x86_64-linux-gnu",
        "/lib64",
        "/usr/lib64",
    ]
    .iter()
    .map(|d| Path::new(d).join("libelf.so.1"))
    .find(|p| p.exists())
    .map(|p| p.display().to_string())
    .ok_or("no libelf.so.1, which objtool needs".to_owned());
    line("libelf", found).packages(&[&["libelf1"], &["libelf1t64"]])
}

/// Returns the path of the agent, which is built with koru and is next to it.
pub fn agent_path() -> Result<PathBuf> {
    let koru = env::current_exe().path_context("finding", Path::new("koru"))?;
    let agent = koru.with_file_name("koru-agent");
    if agent.is_file() {
        Ok(agent)
    } else {
        Err(Error::new(
            Kind::Missing,
            "looking for the guest's agent",
            format!("there is no {}", agent.display()),
        )
        .help("start koru with the `koru` script of the checkout, which builds the agent"))
    }
}

fn agent() -> CheckLine {
    line(
        "guest agent",
        agent_path()
            .map(|p| p.display().to_string())
            .map_err(|e| e.message),
    )
    .help("start koru with the `koru` script of the checkout, which builds the agent")
}

fn kernel_line(cache: &Cache, kernel: &'static str) -> CheckLine {
    let found = match Kernels::new(cache).supported(kernel) {
        Some(Ok(tree)) => Ok(tree.release),
        Some(Err(e)) => Err(e.to_string()),
        None => Err(format!("no {kernel} kernel of the distribution")),
    };
    let what = match kernel {
        "6.1" => "kernel 6.1",
        _ => "kernel 6.12",
    };
    line(what, found).help("koru setup")
}

fn busybox_line(cache: &Cache) -> CheckLine {
    let place = cache.root().join("tools/busybox");
    let found = place
        .is_dir()
        .then(|| place.display().to_string())
        .ok_or("not downloaded".to_owned());
    line("guest's shell (busybox)", found).help("koru setup")
}

fn ssh_server(cache: &Cache, report: &dyn Progress) -> Result<PathBuf> {
    cache.entry("tools", SSH_SERVER, report, |dir| {
        let packages = apt::with_libraries(&["openssh-server", "sudo"])?;
        apt::unpack(&packages, dir, report)
    })
}

fn ssh_server_line(cache: &Cache) -> CheckLine {
    let place = cache.root().join("tools").join(SSH_SERVER);
    let found = place
        .is_dir()
        .then(|| place.display().to_string())
        .ok_or("not downloaded".to_owned());
    line("ssh server for guests", found).help("koru setup --tests")
}

fn rustfmt() -> CheckLine {
    let found = first_line(Command::new("cargo").args(["fmt", "--version"]))
        .ok_or("no `cargo fmt`".to_owned());
    line("rustfmt", found).packages(&[&["rustfmt-web"], &["rustfmt"]])
}

/// Returns the clippy-driver of the same version as the rustc for ring 0, because it reads the
/// libraries that that rustc wrote.
pub fn clippy_driver(toolchain: &Toolchain) -> Option<PathBuf> {
    let beside = toolchain.rustc.with_file_name("clippy-driver");
    let version = first_line(Command::new(&beside).arg("-V").env_remove("RUSTC_WRAPPER"))?;
    // rustc 1.96.0 has clippy 0.1.96.
    version
        .contains(&format!("0.1.{}", toolchain.minor().1))
        .then_some(beside)
}

fn clippy(cache: &Cache) -> CheckLine {
    let found = match Toolchain::find(cache) {
        Ok(t) => clippy_driver(&t)
            .map(|p| p.display().to_string())
            .ok_or_else(|| {
                format!(
                    "no clippy-driver of {} beside {}",
                    t.release,
                    t.rustc.display()
                )
            }),
        Err(e) => Err(e.message),
    };
    line("clippy for ring 0", found).packages(&[&["rust-web-clippy"], &["rust-clippy"]])
}

fn libclang() -> CheckLine {
    let found = libclang_folder()
        .map(|p| p.display().to_string())
        .ok_or("no libclang, which bindgen needs".to_owned());
    line("libclang", found).packages(&[&["libclang1-14"], &["libclang1"], &["libclang1-18"]])
}

/// Returns Debian's folder for libclang, which is one of an LLVM version and not searched by
/// default.
pub fn libclang_folder() -> Option<PathBuf> {
    std::fs::read_dir("/usr/lib")
        .ok()?
        .flatten()
        .map(|e| e.path().join("lib"))
        .find(|lib| lib.join("libclang.so.1").exists())
}
