// SPDX-License-Identifier: MIT OR Apache-2.0

//! Downloads and unpacks packages of the distribution without installing them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use koru_error::{Error, IoContext, Kind, Result};

use crate::{Progress, run};

const LISTS: &str = "if the package lists are old or empty, run `apt-get update` as root, as \
                     `koru setup` does; otherwise check the network";

/// The packages that apt knows: by the machine's own lists and settings, or by others.
#[derive(Debug, Clone, Default)]
pub struct Apt {
    settings: Option<PathBuf>,
}

impl Apt {
    /// Returns the machine's own apt.
    pub fn machine() -> Apt {
        Apt::default()
    }

    /// Returns apt with the settings in a file, which take precedence over the machine's.
    pub fn with_settings(file: &Path) -> Apt {
        Apt {
            settings: Some(file.to_owned()),
        }
    }

    /// Returns a command of apt, whose messages are in English.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("LC_ALL", "C");
        if let Some(settings) = &self.settings {
            command.arg("--config-file").arg(settings);
        }
        command
    }

    /// Returns all package names that start with `prefix`.
    pub fn names(&self, prefix: &str) -> Result<Vec<String>> {
        let run = run(
            self.command("apt-cache").arg("pkgnames").arg(prefix),
            "asking apt for its packages",
        )?;
        Ok(run.stdout.lines().map(str::to_owned).collect())
    }

    /// Returns the direct dependencies of `package`, alternatives included.
    pub fn depends(&self, package: &str) -> Result<Vec<String>> {
        let run = run(
            self.command("apt-cache")
                .args(["depends", "--important", package]),
            "asking apt for dependencies",
        )?;
        Ok(run
            .stdout
            .lines()
            .filter_map(|l| l.split_once("Depends: "))
            .map(|(_, name)| name.trim().to_owned())
            .collect())
    }

    /// Returns whether apt could download `package` now, and not only knows its name.
    pub fn available(&self, package: &str) -> bool {
        run(
            self.command("apt-cache").args(["policy", package]),
            "asking apt for a version",
        )
        .is_ok_and(|r| {
            r.stdout
                .lines()
                .any(|l| l.trim().starts_with("Candidate:") && !l.contains("(none)"))
        })
    }

    /// Downloads `packages` and unpacks them into `dir`.
    pub fn unpack(&self, packages: &[String], dir: &Path, progress: &dyn Progress) -> Result<()> {
        for (i, package) in packages.iter().enumerate() {
            progress.status(&format!(
                "downloading {package} ({} of {})",
                i + 1,
                packages.len()
            ));
            // Each package has a folder of its own, so there is no doubt which file was
            // downloaded.
            let folder = tempfile::tempdir_in(dir).path_context("making a folder in", dir)?;
            run(
                self.command("apt-get")
                    .args(["-qq", "download", package])
                    .current_dir(folder.path()),
                &format!("downloading the package {package}"),
            )
            .map_err(|e| match is_disk_full(&e) {
                true => e.help("free some disk space and try again"),
                false => e.help(LISTS),
            })?;
            let deb = the_deb(folder.path()).ok_or_else(|| {
                Error::new(
                    Kind::System,
                    format!("downloading the package {package}"),
                    "apt-get succeeded but left no file",
                )
                .help(LISTS)
            })?;
            progress.status(&format!("unpacking {package}"));
            run(
                Command::new("dpkg-deb").arg("-x").arg(&deb).arg(dir),
                &format!("unpacking the package {package}"),
            )
            .map_err(|e| match is_disk_full(&e) {
                true => e.help("free some disk space and try again"),
                false => e,
            })?;
        }
        Ok(())
    }

    /// Returns these packages and the libraries that they need, except for the C library.
    pub fn with_libraries(&self, packages: &[&str]) -> Result<Vec<String>> {
        let mut all: Vec<String> = packages.iter().map(|p| (*p).to_owned()).collect();
        let mut next = 0;
        while next < all.len() {
            for name in self.depends(&all[next])? {
                let library = name.starts_with("lib") || name.starts_with("zlib");
                // PAM's configuration and the packages around it are not libraries.
                let other = ["libc6", "libpam-modules", "libpam-runtime"].contains(&&*name);
                if library && !other && !all.contains(&name) && self.available(&name) {
                    all.push(name);
                }
            }
            next += 1;
        }
        Ok(all)
    }
}

/// Returns whether a program failed because the disk is full, as it prints in its own words.
fn is_disk_full(error: &Error) -> bool {
    let said = error.output.as_deref().unwrap_or_default();
    let full = [
        "No space left on device",
        "You don't have enough free space",
        "Disk quota exceeded",
    ];
    full.iter().any(|words| said.contains(words))
}

fn the_deb(dir: &Path) -> Option<PathBuf> {
    fs::read_dir(dir)
        .ok()?
        .flatten()
        .map(|e| e.path())
        .find(|p| p.extension().is_some_and(|e| e == "deb"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_disk_is_told_from_a_missing_network() {
        let said = |output: &str| Error::new(Kind::System, "x", "failed").output(output);
        for full in [
            "E: You don't have enough free space in /tmp/x/.",
            "E: Write error - write (28: No space left on device)",
        ] {
            assert!(is_disk_full(&said(full)), "{full}");
        }
        assert!(!is_disk_full(&said(
            "E: Failed to fetch: could not resolve"
        )));
        assert!(!is_disk_full(&Error::new(Kind::System, "x", "failed")));
    }
}
