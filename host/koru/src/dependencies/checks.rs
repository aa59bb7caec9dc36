// SPDX-License-Identifier: MIT OR Apache-2.0

//! Checks whether what Koru needs on the machine is installed.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, DirEntry},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kbuild::Toolchain;
use koru_kernels::{Apt, Cache, Home, KernelTree, Kernels};

use super::Uses;

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
pub struct Program {
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
        what: "sandbox for builds",
        name: "bwrap",
        packages: &[&["bubblewrap"]],
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

pub const DEBUGGER: Program = Program {
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

/// Checks all dependencies, those of every kernel here included, without changing anything.
pub fn check_all(home: &Home, tests: bool) -> Vec<CheckLine> {
    let kernels = Kernels::new(&Cache::new(&home.cache));
    let releases = kernels.releases();
    let trees = releases.iter().filter_map(|r| kernels.exactly(r)?.ok());
    check(home, &Uses::of_set_up(trees.collect()), tests)
}

/// Checks the dependencies that builds for these kernels have, without changing anything.
pub fn check(home: &Home, uses: &Uses, tests: bool) -> Vec<CheckLine> {
    let cache = Cache::new(&home.cache);
    let mut lines = Vec::new();
    lines.push(cargo());
    lines.push(toolchain(&cache));
    lines.extend(PROGRAMS.iter().map(program));
    lines.extend(compilers(&uses.trees));
    lines.push(libelf());
    lines.push(agent());
    for &kernel in uses.set_up {
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
                .find(|set| set.iter().all(|p| Apt::machine().available(p)))
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

pub fn program(p: &Program) -> CheckLine {
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
    let found = first_line(koru_kbuild::cargo().arg("-V")).ok_or("no `cargo`".to_owned());
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

/// Checks the compiler that each kernel was built with, which Kbuild needs.
fn compilers(trees: &[KernelTree]) -> Vec<CheckLine> {
    // The compiler, where it is, and a kernel that needs it.
    let mut wanted: BTreeMap<(String, Option<PathBuf>), &str> = BTreeMap::new();
    for tree in trees {
        if let Some(compiler) = tree.compiler() {
            let found = match &tree.userland {
                Some(userland) => userland.program(compiler),
                None => find(compiler),
            };
            wanted.insert((compiler.to_owned(), found), &tree.release);
        }
    }
    if wanted.is_empty() {
        wanted.insert(("gcc".to_owned(), find("gcc")), "");
    }
    let lines = wanted.into_iter().map(|((compiler, found), release)| {
        let package = compiler.trim_start_matches("x86_64-linux-gnu-");
        let found = found
            .map(|p| p.display().to_string())
            .ok_or_else(|| format!("no `{compiler}`, with which a kernel was built ({release})"));
        let line = line("the kernel's compiler", found);
        // A newer distribution does not have it any more; adding the kernel downloads it.
        match line.ok || release.is_empty() || Apt::machine().available(package) {
            true => line.packages(&[&[package]]),
            false => line.help(&format!("koru kernel add {release}")),
        }
    });
    lines.collect()
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

pub fn busybox_line(cache: &Cache) -> CheckLine {
    let place = cache.root().join("tools/busybox");
    let found = place
        .is_dir()
        .then(|| place.display().to_string())
        .ok_or("not downloaded".to_owned());
    line("guest's shell (busybox)", found).help("koru setup")
}

pub fn ssh_server_line(cache: &Cache) -> CheckLine {
    let place = cache.root().join("tools").join(SSH_SERVER);
    let found = place
        .is_dir()
        .then(|| place.display().to_string())
        .ok_or("not downloaded".to_owned());
    line("ssh server for guests", found).help("koru setup --tests")
}

fn rustfmt() -> CheckLine {
    let found = first_line(koru_kbuild::cargo().args(["fmt", "--version"]))
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
    fs::read_dir("/usr/lib")
        .ok()?
        .flatten()
        .map(|e| e.path().join("lib"))
        .find(|lib| fs::read_dir(lib).is_ok_and(|dir| dir.flatten().any(|e| is_libclang(&e))))
}

/// Returns whether a file is libclang: `libclang.so.1`, or `libclang-19.so.1` in Debian 13.
fn is_libclang(file: &DirEntry) -> bool {
    let name = file.file_name();
    let name = name.to_string_lossy();
    let named = name.starts_with("libclang.so") || name.starts_with("libclang-");
    named && !name.starts_with("libclang-cpp") && name.contains(".so") && file.path().exists()
}
