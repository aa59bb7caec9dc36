// SPDX-License-Identifier: MIT OR Apache-2.0

//! The `koru` program.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

pub struct Koru {
    program: PathBuf,
    root: PathBuf,
}

impl Koru {
    /// That of this checkout, built when needed.
    pub fn find() -> Result<Koru> {
        Koru::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
    }

    /// That of some checkout, built when needed.
    pub fn of(root: &Path) -> Result<Koru> {
        let missing = || format!("there is no checkout in {}", root.display());
        let root = root.canonicalize().with_context(missing)?;
        // The script looks after the program; what is measured is the program.
        let built = Command::new(root.join("koru")).arg("--version").output()?;
        ensure!(
            built.status.success(),
            "{}",
            String::from_utf8_lossy(&built.stderr)
        );
        Ok(Koru {
            program: root.join("target/x86_64-unknown-linux-gnu/release/koru"),
            root,
        })
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

    /// The releases of the kernels that are here.
    pub fn kernels(&self) -> Result<Vec<String>> {
        let mut command = self.command(&["kernel", "list", "--json"]);
        let (rows, _) = json(&mut command)?;
        let rows = rows.as_array().context("a list of kernels")?;
        let releases = rows.iter().filter_map(|row| row["release"].as_str());
        Ok(releases.map(str::to_owned).collect())
    }
}

/// Runs a command to its end; what it says, and how many seconds it took.
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

/// The same, of a command that prints JSON.
pub fn json(command: &mut Command) -> Result<(Value, f64)> {
    let (out, seconds) = output(command)?;
    Ok((serde_json::from_slice(&out)?, seconds))
}
