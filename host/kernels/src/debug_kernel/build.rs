// SPDX-License-Identifier: MIT OR Apache-2.0

//! Configures and compiles a kernel in its unpacked sources.

use std::{
    cell::Cell,
    fs,
    num::NonZero,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_sandbox::with_system;

use super::flavour::{BASE, DebugFlavour};
use crate::{Config, Progress, Userland, process::run_with_lines, run, userland::KEPT, x86};

/// Where the build sees its own folder. make cannot work in a path with spaces, and the paths are
/// written into debug information.
const VIEW: &str = "/mnt";

/// About how many files are compiled, for the estimate of how long it takes.
const FILES: u32 = 1350;

/// Unpacks the archive of sources that a package contains.
pub fn unpack(package: &Path, name: &str, build: &Path, userland: &Userland) -> Result<()> {
    let archive = package.join("usr/src").join(format!("{name}.tar.xz"));
    let dir = package.join(name);
    let attempted = format!("unpacking {}", archive.display());
    let mut tar = Command::new("tar");
    tar.arg("-xf").arg(&archive).arg("-C").arg(package);
    let mut inside = with_system(userland.root(), &KEPT, &[], &tar, &attempted)?;
    run(&mut inside, &attempted)?;
    fs::rename(&dir, build).path_context("renaming to", build)
}

/// Configures and compiles the kernel `release` in the folder of its sources.
pub fn build(
    flavour: &DebugFlavour,
    release: &str,
    build: &Path,
    userland: &Userland,
    progress: &dyn Progress,
) -> Result<()> {
    let attempted = format!("building the kernel {release}");
    let compiler = userland.compiler().ok_or_else(|| {
        let message = format!("there is no gcc in {}", userland.root().display());
        Error::new(Kind::System, &attempted, message)
            .help("`koru clean --cache` removes it, so that it is downloaded again")
    })?;
    let make = |arguments: &[&str]| {
        let mut make = Command::new("make");
        make.arg("-C")
            .arg(VIEW)
            .arg(format!("HOSTCC={compiler}"))
            .args(arguments)
            .env_remove("MAKEFLAGS")
            .env_remove("MFLAGS")
            .env_remove("KBUILD_OUTPUT")
            .env("LC_ALL", "C")
            .env("KBUILD_BUILD_USER", "koru")
            .env("KBUILD_BUILD_HOST", "koru");
        with_system(userland.root(), &KEPT, &[(build, VIEW)], &make, &attempted)
    };
    // Debian's Makefile reads this file, in builds of modules as well.
    let variables = build.join(".kernelvariables");
    fs::write(&variables, format!("CC = {compiler}\n")).path_context("writing", &variables)?;
    progress.status(&format!("configuring the kernel {release}"));
    run(&mut make(&["-s", "tinyconfig"])?, &attempted)?;
    let config = build.join(".config");
    let tiny = fs::read_to_string(&config).path_context("reading", &config)?;
    let wanted = format!("{BASE}{}", flavour.config);
    fs::write(&config, with_options(&tiny, &wanted)).path_context("writing", &config)?;
    run(&mut make(&["-s", "olddefconfig"])?, &attempted)?;
    let text = fs::read_to_string(&config).path_context("reading", &config)?;
    let lost = lost_options(&wanted, &Config::parse(&text));
    if !lost.is_empty() {
        let message = format!(
            "these sources do not take all options of the configuration: {}",
            lost.join(", ")
        );
        return Err(Error::new(Kind::System, &attempted, message)
            .help("their names or dependencies may have changed in this series"));
    }
    let jobs = thread::available_parallelism().map_or(1, NonZero::get);
    let jobs = format!("-j{jobs}");
    let estimate = Estimate::new(release);
    let seen = |line: &str| {
        if let Some(text) = estimate.line(line) {
            progress.status(&text);
        }
    };
    progress.status(&format!("{attempted}, which takes about 10 minutes"));
    // `modules` needs the others, and writes Module.symvers.
    for targets in [&["bzImage", "modules_prepare"][..], &["modules"]] {
        let mut compile = make(&[&[&*jobs], targets].concat())?;
        run_with_lines(&mut compile, &attempted, &seen)?;
    }
    match build.join(x86::IMAGE).is_file() && build.join("Module.symvers").is_file() {
        true => Ok(()),
        false => Err(Error::new(
            Kind::System,
            attempted,
            "make succeeded but left no kernel",
        )),
    }
}

/// Replaces options of a configuration.
fn with_options(config: &str, wanted: &str) -> String {
    let names: Vec<&str> = wanted.lines().filter_map(name).collect();
    let is_kept = |line: &&str| name(line).is_none_or(|name| !names.contains(&name));
    let kept = config.lines().filter(is_kept).chain(wanted.lines());
    kept.map(|line| format!("{line}\n")).collect()
}

/// Returns the option in a line: `CONFIG_X=y`, or `# CONFIG_X is not set`.
fn name(line: &str) -> Option<&str> {
    let line = line.strip_prefix("# ").unwrap_or(line);
    let end = line.find(['=', ' ']).unwrap_or(line.len());
    line.strip_prefix("CONFIG_").map(|_| &line[..end])
}

/// Returns the wanted options that a configuration does not have, because they depend on others.
fn lost_options(wanted: &str, config: &Config) -> Vec<String> {
    let mut lost = Vec::new();
    for line in wanted.lines() {
        let option = line.strip_prefix("CONFIG_").and_then(|l| l.split_once('='));
        let Some((name, value)) = option else {
            continue;
        };
        let value = value.trim_matches('"');
        let is_there = match value {
            "n" => config.get(name).is_none(),
            value => config.get(name) == Some(value),
        };
        if !is_there {
            lost.push(line.to_owned());
        }
    }
    lost
}

/// How far the build is, and how long it will still take.
struct Estimate<'a> {
    release: &'a str,
    begin: Instant,
    files: Cell<u32>,
}

impl Estimate<'_> {
    fn new(release: &str) -> Estimate<'_> {
        Estimate {
            release,
            begin: Instant::now(),
            files: Cell::new(0),
        }
    }

    /// Takes a line of make's output. Returns what to show, now and then.
    fn line(&self, line: &str) -> Option<String> {
        // `  CC      kernel/fork.o`
        let mut words = line.split_whitespace();
        let compiles = matches!(words.next(), Some("CC" | "AS" | "HOSTCC"));
        if !compiles {
            return None;
        }
        let files = self.files.get() + 1;
        self.files.set(files);
        // Without a terminal, each status is a line.
        (files % 50 == 0).then(|| progress_text(self.release, files, self.begin.elapsed()))
    }
}

fn progress_text(release: &str, files: u32, elapsed: Duration) -> String {
    let files = files.min(FILES);
    // The first files are small programs.
    let left = (elapsed * (FILES - files) / files).as_secs().div_ceil(60);
    let minutes = if left == 1 { "minute" } else { "minutes" };
    let left = match files {
        0..200 => String::new(),
        _ => format!(", about {left} {minutes} left"),
    };
    format!("building the kernel {release}: {files} of about {FILES} files{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_replaced() {
        let tiny = "# a comment\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_AB=y\n";
        let wanted = "# why\nCONFIG_A=n\nCONFIG_B=y\n";
        let config = with_options(tiny, wanted);
        assert_eq!(
            config,
            "# a comment\nCONFIG_AB=y\n# why\nCONFIG_A=n\nCONFIG_B=y\n"
        );
    }

    #[test]
    fn options_that_got_lost() {
        let wanted = "CONFIG_A=y\nCONFIG_B=n\nCONFIG_C=\"-x\"\nCONFIG_D=8\n";
        let lost = |config: &str| lost_options(wanted, &Config::parse(config));
        let all = "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"-x\"\nCONFIG_D=8\n";
        assert_eq!(lost(all), [""; 0]);
        assert_eq!(
            lost("CONFIG_A=m\nCONFIG_B=y\n"),
            wanted.lines().collect::<Vec<_>>()
        );
    }

    #[test]
    fn every_option_is_wanted_once() {
        for flavour in &super::super::flavour::FLAVOURS {
            let wanted = format!("{BASE}{}", flavour.config);
            let lines = wanted.lines().filter(|line| line.starts_with("CONFIG_"));
            let mut names: Vec<&str> = lines.filter_map(name).collect();
            let number = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), number, "{}", flavour.name);
        }
    }

    #[test]
    fn estimates() {
        let minute = Duration::from_secs(60);
        assert_eq!(
            progress_text("6.12.1-debug", 50, minute),
            "building the kernel 6.12.1-debug: 50 of about 1350 files"
        );
        assert_eq!(
            progress_text("6.12.1-debug", 450, 3 * minute),
            "building the kernel 6.12.1-debug: 450 of about 1350 files, about 6 minutes left"
        );
        assert!(progress_text("x", 1500, minute).contains("1350 of about 1350"));
        let estimate = Estimate::new("x");
        assert_eq!(estimate.line("  LD      vmlinux.o"), None);
        let lines = (0..50).filter_map(|_| estimate.line("  CC      kernel/fork.o"));
        assert_eq!(lines.count(), 1);
    }
}
