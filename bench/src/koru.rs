// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs the `koru` program.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

pub struct Koru {
    program: PathBuf,
    root: PathBuf,
}

impl Koru {
    /// Finds the program of this checkout, and builds it if necessary.
    pub fn find() -> Result<Koru> {
        Koru::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
    }

    /// Finds the program of a checkout, and builds it if necessary.
    pub fn of(root: &Path) -> Result<Koru> {
        let missing = || format!("there is no checkout in {}", root.display());
        let root = root.canonicalize().with_context(missing)?;
        // The script keeps the program up to date; the program itself is what is measured.
        let built = Command::new(root.join("koru")).arg("--version").output()?;
        ensure!(
            built.status.success(),
            "{}",
            String::from_utf8_lossy(&built.stderr)
        );
        let target = root.join("target/x86_64-unknown-linux-gnu");
        // Earlier versions are built with cargo's own profile.
        let programs = ["program", "release"].map(|profile| target.join(profile).join("koru"));
        let program = programs.into_iter().find(|program| program.is_file());
        let program = program.context("the script built no program")?;
        Ok(Koru { program, root })
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(&self.root)
            .env("KORU_ROOT", &self.root)
            .env_remove("KORU_BOOT")
            .stdin(Stdio::null());
        command
    }

    /// Returns the arguments that run the guest tests of this checkout, which may be of an
    /// earlier version.
    pub fn guest_tests(&self) -> &'static [&'static str] {
        match self.root.join("host/koru/src/commands/dev").is_dir() {
            true => &["dev", "test", "--only", "guest"],
            false => &["test", "--only", "guest"],
        }
    }

    /// Returns the releases of the kernels that Koru has.
    pub fn kernels(&self) -> Result<Vec<String>> {
        let rows = self.kernel_rows()?;
        let releases = rows.iter().filter_map(|row| row["release"].as_str());
        Ok(releases.map(str::to_owned).collect())
    }

    /// Returns the build directory of a kernel, which the beginning of its release may name.
    pub fn build_dir(&self, kernel: &str) -> Result<PathBuf> {
        let rows = self.kernel_rows()?;
        let is_it = |row: &&Value| {
            let release = row["release"].as_str();
            release.is_some_and(|release| release.starts_with(kernel))
        };
        let row = rows.iter().find(is_it);
        let dir = row.and_then(|row| row["build_dir"].as_str());
        dir.map(PathBuf::from).context("a kernel of the list")
    }

    fn kernel_rows(&self) -> Result<Vec<Value>> {
        let mut command = self.command(&["kernel", "list", "--json"]);
        let (rows, _) = json(&mut command)?;
        Ok(rows.as_array().context("a list of kernels")?.clone())
    }
}

/// Runs a command to its end, and returns its output and the seconds that it took.
pub fn output(command: &mut Command) -> Result<(Vec<u8>, f64)> {
    let start = Instant::now();
    let out = command.stderr(Stdio::piped()).output()?;
    let seconds = start.elapsed().as_secs_f64();
    ensure!(
        out.status.success(),
        "{command:?}: {}\n{}{}",
        out.status,
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    Ok((out.stdout, seconds))
}

/// Runs a command that prints JSON, and returns the value and the seconds that the command
/// took.
pub fn json(command: &mut Command) -> Result<(Value, f64)> {
    let (out, seconds) = output(command)?;
    Ok((serde_json::from_slice(&out)?, seconds))
}

/// Runs a module. Returns the seconds until a message is in the log, and until the end.
pub fn seconds_to_line(command: &mut Command, says: &str) -> Result<(f64, f64)> {
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn()?;
    let out = child.stdout.take().context("it is piped")?;
    let mut first = None;
    for line in BufReader::new(out).lines() {
        if line?.contains(says) {
            first.get_or_insert_with(|| start.elapsed().as_secs_f64());
        }
    }
    let status = child.wait()?;
    let whole = start.elapsed().as_secs_f64();
    match first {
        Some(first) if status.success() => Ok((first, whole)),
        _ => bail!("the module did not say `{says}`: {status}"),
    }
}
