// SPDX-License-Identifier: MIT OR Apache-2.0

//! Downloads and unpacks packages of the distribution without installing them.

use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use koru_error::{Error, IoContext, Kind, Result};

use crate::{Key, Progress, merged::merge_folders, process::run_with_lines, run, spawn_error};

/// The folders in `/usr/share` that no program reads.
const DOCUMENTATION: [&str; 5] = ["doc", "info", "lintian", "locale", "man"];

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
        self.candidate(package).is_some()
    }

    /// Returns the version of `package` that apt would download now.
    pub(crate) fn candidate(&self, package: &str) -> Option<String> {
        let policy = run(
            self.command("apt-cache").args(["policy", package]),
            "asking apt for a version",
        );
        let policy = policy.ok()?.stdout;
        let mut versions = policy
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Candidate: "));
        versions
            .next()
            .filter(|v| *v != "(none)")
            .map(str::to_owned)
    }

    /// Downloads `packages` and unpacks them into `dir`.
    pub fn unpack(&self, packages: &[String], dir: &Path, progress: &dyn Progress) -> Result<()> {
        let what = match packages {
            [first, _, ..] => format!("{first} and {} more", packages.len() - 1),
            _ => packages.concat(),
        };
        let debs = self.download(packages, &what, dir, progress)?;
        for deb in debs.files()? {
            run(
                Command::new("dpkg-deb").arg("-x").arg(&deb).arg(dir),
                &format!("unpacking {}", deb.display()),
            )
            .map_err(with_help)?;
        }
        debs.remove();
        Ok(())
    }

    /// Downloads `packages` and unpacks them into `dir`, where `/bin` and the like are links to
    /// folders in `/usr`, without their documentation.
    pub(crate) fn unpack_merged(
        &self,
        packages: &[String],
        what: &str,
        dir: &Path,
        progress: &dyn Progress,
    ) -> Result<()> {
        let debs = self.download(packages, what, dir, progress)?;
        merge_folders(dir)?;
        for deb in debs.files()? {
            let attempted = format!("unpacking {}", deb.display());
            let mut archive = Command::new("dpkg-deb");
            archive.arg("--fsys-tarfile").arg(&deb);
            let mut archive = archive
                .stdout(Stdio::piped())
                .spawn()
                .map_err(|e| spawn_error(&archive, &attempted, e))?;
            let mut tar = Command::new("tar");
            tar.args(["-x", "--keep-directory-symlink", "--no-same-owner"])
                .args(DOCUMENTATION.map(|folder| format!("--exclude=./usr/share/{folder}/*")))
                .arg("-C")
                .arg(dir)
                .stdin(archive.stdout.take().expect("piped"));
            let unpacked = tar.output().map_err(|e| spawn_error(&tar, &attempted, e));
            let read = archive.wait().context(&attempted)?;
            let unpacked = unpacked?;
            if !read.success() || !unpacked.status.success() {
                let said = String::from_utf8_lossy(&unpacked.stderr).into_owned();
                let error = Error::new(Kind::System, attempted, "dpkg-deb or tar failed");
                return Err(with_help(error.output(said)));
            }
        }
        debs.remove();
        Ok(())
    }

    /// Returns these packages and all that they depend on, each as `NAME=VERSION`.
    pub(crate) fn closure(&self, packages: &[String]) -> Result<Vec<String>> {
        let simulated = run(
            self.command("apt-get")
                .args(["-s", "-qq", "--no-install-recommends", "install"])
                .args(packages),
            "asking apt for dependencies",
        )?;
        Ok(simulated.stdout.lines().filter_map(installed).collect())
    }

    /// Downloads `packages` into a folder beside `dir`, verified. What is there of an attempt that
    /// broke off is continued.
    fn download(
        &self,
        packages: &[String],
        what: &str,
        dir: &Path,
        progress: &dyn Progress,
    ) -> Result<Downloaded> {
        let folder = download_folder(dir, packages);
        fs::create_dir_all(&folder).path_context("making", &folder)?;
        let attempted = format!("downloading {what}");
        progress.status(&attempted);
        let mut asked = self.command("apt-get");
        asked
            .args(["-qq", "--print-uris", "download"])
            .args(packages);
        let sizes = run(asked.current_dir(&folder), &attempted).map_err(with_help)?;
        keep_only(&folder, &sizes.stdout)?;
        let total: u64 = sizes.stdout.lines().filter_map(size).sum();
        let mut download = self.command("apt-get");
        download
            .args(["-qq", "-o", "APT::Status-Fd=1", "download"])
            .args(packages)
            .current_dir(&folder);
        let last = Cell::new(0);
        let seen = |line: &str| {
            let all = total / 1_000_000;
            // Without a terminal, each status is a line.
            let percent = percent(line).filter(|percent| percent / 10 > last.get() / 10);
            if let Some(percent) = percent.filter(|_| all >= 10) {
                last.set(percent);
                let done = total * percent / 100 / 1_000_000;
                progress.status(&format!("{attempted} ({done} of {all} MB)"));
            }
        };
        run_with_lines(&mut download, &attempted, &seen).map_err(|e| {
            // What was there is not the beginning of the file.
            if e.output
                .as_ref()
                .is_some_and(|said| said.contains("Hash Sum mismatch"))
            {
                let _ = fs::remove_dir_all(&folder);
            }
            with_help(e)
        })?;
        progress.status(&format!("unpacking {what}"));
        Ok(Downloaded {
            folder,
            attempted,
            number: packages.len(),
        })
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

/// Adds what to do about a download that failed.
fn with_help(error: Error) -> Error {
    match is_disk_full(&error) {
        true => error.help("free some disk space and try again"),
        false => error.help(LISTS),
    }
}

/// Returns the folder in which packages for the folder `dir` of the cache are downloaded. It is the
/// same for each attempt.
fn download_folder(dir: &Path, packages: &[String]) -> PathBuf {
    let names = packages.iter();
    let key = names.fold(Key::default(), |key, name| key.with(name));
    let beside = dir.parent().unwrap_or(dir);
    beside.join(".downloads").join(key.hex())
}

/// Removes files that are not in apt's list of addresses, such as an older version.
fn keep_only(folder: &Path, list: &str) -> Result<()> {
    let names: Vec<&str> = list
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    for entry in fs::read_dir(folder).path_context("reading", folder)? {
        let entry = entry.path_context("reading", folder)?;
        if !names.iter().any(|name| entry.file_name() == **name) {
            let path = entry.path();
            fs::remove_file(&path).path_context("removing", &path)?;
        }
    }
    Ok(())
}

/// Packages in a folder that stays until they are unpacked.
struct Downloaded {
    folder: PathBuf,
    attempted: String,
    number: usize,
}

impl Downloaded {
    fn files(&self) -> Result<Vec<PathBuf>> {
        let folder = fs::read_dir(&self.folder);
        let entries = folder.path_context("reading", &self.folder)?;
        let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
        files.retain(|file| file.extension().is_some_and(|e| e == "deb"));
        files.sort();
        match files.len() == self.number {
            true => Ok(files),
            false => Err(Error::new(
                Kind::System,
                &self.attempted,
                "apt-get succeeded but did not leave all files",
            )
            .help(LISTS)),
        }
    }

    fn remove(self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Reads the package that a line of apt's simulation installs: `Inst NAME (VERSION ..`.
fn installed(line: &str) -> Option<String> {
    let (name, rest) = line.strip_prefix("Inst ")?.split_once(" (")?;
    let version = rest.split([' ', ')']).next()?;
    Some(format!("{name}={version}"))
}

/// Reads the size in a line of apt's list of addresses: `'ADDRESS' FILE SIZE HASH`.
fn size(line: &str) -> Option<u64> {
    line.split(' ').nth(2)?.parse().ok()
}

/// Reads how much is downloaded in a line of apt's progress: `dlstatus:N:PERCENT:..`.
fn percent(line: &str) -> Option<u64> {
    let percent = line.strip_prefix("dlstatus:")?.split(':').nth(1)?;
    percent.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_apt() {
        let line = "Inst libc6 (2.31-13+deb11u14 Debian:11/stable [amd64]) []";
        assert_eq!(installed(line).as_deref(), Some("libc6=2.31-13+deb11u14"));
        assert_eq!(installed("Conf libc6 (2.31 Debian:11)"), None);
        let line = "'http://m/pool/g/grep_3.6.deb' grep_3.6.deb 460896 SHA256:1";
        assert_eq!(size(line), Some(460_896));
        assert_eq!(
            percent("dlstatus:2:12.1880:Retrieving file 2 of 3"),
            Some(12)
        );
        assert_eq!(percent("Get:1 http://m"), None);
    }

    #[test]
    fn download_is_continued_in_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let folder = |attempt: &str, package: &str| {
            download_folder(&dir.path().join(attempt), &[package.to_owned()])
        };
        assert_eq!(folder(".x.1", "a"), folder(".x.2", "a"));
        assert_ne!(folder(".x.1", "a"), folder(".x.1", "b"));
        let here = folder(".x.1", "a");
        fs::create_dir_all(&here).unwrap();
        for file in ["a_1.deb", "a_2.deb"] {
            fs::write(here.join(file), "half").unwrap();
        }
        keep_only(&here, "'http://m/a_2.deb' a_2.deb 9 SHA256:1\n").unwrap();
        assert!(!here.join("a_1.deb").exists() && here.join("a_2.deb").exists());
    }

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
