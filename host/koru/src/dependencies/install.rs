// SPDX-License-Identifier: MIT OR Apache-2.0

//! Installs what Koru needs on the machine.

use std::{io::IsTerminal, path::PathBuf, process::Command};

use koru_error::{Error, Kind, Result};
use koru_kbuild::Builder;
use koru_kernels::{Apt, Cache, Home, Kernels, Progress, busybox};

use super::Uses;
use super::checks::{
    CheckLine, DEBUGGER, SSH_SERVER, busybox_line, check, program, ssh_server_line,
};
use crate::ask::{Answer, ask};

/// Installs everything that is missing for the kernels in `uses`. What another kernel of the list
/// lacks, which perhaps cannot be had, is no obstacle.
pub fn install_missing(
    home: &Home,
    uses: &Uses,
    tests: bool,
    yes: bool,
    report: &dyn Progress,
) -> Result<()> {
    let cache = Cache::new(&home.cache);
    let kernels = Kernels::new(&cache);
    let missing_lines = || -> Vec<CheckLine> {
        let of_set_up = uses.set_up.iter();
        let of_set_up = of_set_up.filter_map(|k| kernels.supported(k)?.ok());
        let trees = of_set_up.chain(uses.trees.iter().cloned()).collect();
        let of_these = Uses { trees, ..*uses };
        let lines = check(home, &of_these, tests).into_iter();
        lines.filter(|line| !line.ok).collect()
    };
    let packages_of = |lines: &[CheckLine]| -> Vec<String> {
        lines.iter().flat_map(|l| l.packages.clone()).collect()
    };
    let packages = packages_of(&missing_lines());
    if !packages.is_empty() {
        install(packages, yes, report)?;
    }
    let no_kernel = uses.set_up.iter().any(|k| kernels.supported(k).is_none());
    let no_server = tests && !ssh_server_line(&cache).ok;
    if no_kernel || !busybox_line(&cache).ok || no_server {
        // This is best effort: a download may work even with old lists.
        if is_root() && Apt::machine().names("linux-headers-")?.is_empty() {
            apt_get(&["update"], report)?;
        }
    }
    let mut missing = uses.set_up.to_vec();
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
    let packages = packages_of(&missing_lines());
    if !packages.is_empty() {
        install(packages, yes, report)?;
    }
    let mut left = missing_lines().into_iter();
    if let Some(line) = left.find(|l| !l.what.starts_with("kernel")) {
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

/// Builds core and the C interface layer for the kernels of set-up, so that the first module does
/// not wait for them. (Kernels that the user adds are tried when they are added.)
pub fn prebuild(home: &Home, uses: &Uses, report: &dyn Progress) -> Result<()> {
    let kernels = Kernels::new(&Cache::new(&home.cache));
    let built: Vec<Result<()>> = std::thread::scope(|s| {
        let trees = uses.set_up.iter().filter_map(|k| kernels.supported(k));
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
    if koru_sandbox::on_path("apt-get").is_none() {
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
    if !is_root() && koru_sandbox::on_path("sudo").is_none() {
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

fn ssh_server(cache: &Cache, report: &dyn Progress) -> Result<PathBuf> {
    cache.entry("tools", SSH_SERVER, report, |dir| {
        let packages = Apt::machine().with_libraries(&["openssh-server", "sudo"])?;
        Apt::machine().unpack(&packages, dir, report)
    })
}
