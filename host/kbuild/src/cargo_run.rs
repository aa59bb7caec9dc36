// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs cargo on sources that may not be trusted.
//!
//! Build scripts, procedural macros and the settings in `.cargo/config.toml` are programs of
//! whoever wrote the crate, so cargo builds in a sandbox, without network. Dependencies are
//! fetched first, outside: from a folder in which the crate's own settings do not count.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::{Mutex, MutexGuard},
    thread,
};

use cargo_metadata::MetadataCommand;
use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::{Home, spawn_error};
use koru_sandbox::{Sandbox, Stream, leave_sandbox};

use crate::{TARGET, Toolchain, package_cache::IndexLock, paths::repository};

/// The target of build scripts and procedural macros.
const HOST: &str = "x86_64-unknown-linux-gnu";

/// The variables by which the user chooses how cargo builds; others can be secrets.
const SETTINGS: [&str; 4] = [
    "CARGO_BUILD_",
    "CARGO_INCREMENTAL",
    "CARGO_PROFILE_",
    "RUSTUP_TOOLCHAIN",
];

/// Returns a cargo that does not read the settings (`.cargo/config.toml`, `rust-toolchain.toml`)
/// of a crate, or of the folder that the user is in: these can name programs to run.
pub fn cargo() -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir("/").envs(absolute_target_dir());
    cargo
}

/// Returns `CARGO_TARGET_DIR` if it is relative: made absolute, since cargo starts elsewhere.
fn absolute_target_dir() -> Option<(&'static str, PathBuf)> {
    const NAME: &str = "CARGO_TARGET_DIR";
    let set = PathBuf::from(env::var_os(NAME).filter(|v| !v.is_empty())?);
    let absolute = env::current_dir().ok()?.join(&set);
    set.is_relative().then_some((NAME, absolute))
}

/// Returns the command that asks cargo for a package's metadata, without the settings that
/// [`cargo`] does not read, either.
pub fn metadata_command(manifest: &Path) -> MetadataCommand {
    let mut command = MetadataCommand::new();
    command.current_dir("/").manifest_path(manifest);
    if let Some((name, dir)) = absolute_target_dir() {
        command.env(name, dir);
    }
    command
}

/// Where and how cargo runs for one workspace.
pub struct CargoRun<'a> {
    pub home: &'a Home,
    pub toolchain: &'a Toolchain,
    pub workspace: &'a Path,
    /// The sandbox, unless the sources are trusted.
    pub sandbox: Option<&'a Sandbox>,
    /// What the compiler settings name.
    pub readable: Vec<PathBuf>,
    /// The target folder.
    pub target: &'a Path,
}

impl CargoRun<'_> {
    /// Runs a command of cargo, which has to succeed, and returns what it wrote to stdout.
    pub fn output(&self, command: &mut Command, attempted: &str) -> Result<String> {
        let said = [Mutex::default(), Mutex::default()];
        let line = |stream: Stream, line: &str| {
            let mut said: MutexGuard<'_, String> =
                said[stream as usize].lock().expect("no panic while held");
            said.push_str(line);
            said.push('\n');
        };
        let status = self.lines(command, attempted, &line)?;
        let [stdout, stderr] = said.map(|said| said.into_inner().expect("no panic while held"));
        match status.success() {
            true => Ok(stdout),
            false => {
                let message = format!("cargo failed ({status})");
                Err(Error::new(Kind::System, attempted, message).output(stderr))
            }
        }
    }

    /// Runs a command of cargo to its end, without a network, and passes on the lines of its output
    /// as they come.
    pub fn lines(
        &self,
        command: &mut Command,
        attempted: &str,
        line: &(dyn Fn(Stream, &str) + Sync),
    ) -> Result<ExitStatus> {
        command.env("CARGO_NET_OFFLINE", "true");
        match self.sandbox {
            None => {
                leave_sandbox(self.target)?;
                free(command, attempted, line)
            }
            Some(sandbox) => self.confined(sandbox, command, attempted, line),
        }
    }

    fn confined(
        &self,
        sandbox: &Sandbox,
        command: &mut Command,
        attempted: &str,
        line: &(dyn Fn(Stream, &str) + Sync),
    ) -> Result<ExitStatus> {
        fs::create_dir_all(self.target).path_context("making", self.target)?;
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            command.envs(tool_folder(name, folder).map(|path| (name, path)));
        }
        pass_settings(command);
        let index = cargo_home().map(|home| {
            IndexLock::take(&home, || {
                line(
                    Stream::Stderr,
                    "    Blocking waiting for file lock on package cache",
                );
            })
        });
        let partial = [Mutex::default(), Mutex::default()];
        let seen = |stream: Stream, part: &[u8]| {
            let mut rest: MutexGuard<'_, Vec<u8>> = partial[stream as usize]
                .lock()
                .expect("no panic while held");
            rest.extend_from_slice(part);
            while let Some(end) = rest.iter().position(|b| *b == b'\n') {
                let whole: Vec<u8> = rest.drain(..=end).collect();
                let whole = String::from_utf8_lossy(&whole);
                let whole = whole.trim_end_matches('\n');
                if let Some(index) = &index {
                    index.see(stream, whole);
                }
                line(stream, whole);
            }
        };
        let sandbox = self
            .readable()
            .into_iter()
            .filter(|path| path.exists())
            .fold(sandbox.clone(), Sandbox::readable)
            .writable(self.target);
        let output = sandbox.output_with(command, attempted, &seen);
        // The lines have been passed on.
        let output = output.map_err(|mut e| {
            e.output = None;
            e
        });
        Ok(output?.status)
    }

    /// Returns what a build reads.
    fn readable(&self) -> Vec<PathBuf> {
        let mut paths = self.readable.clone();
        paths.push(
            repository(self.workspace)
                .unwrap_or(self.workspace)
                .to_owned(),
        );
        paths.push(self.home.root.clone());
        for name in ["cargo", "rustc"] {
            let folders = env::var_os("PATH").unwrap_or_default();
            let mut files = env::split_paths(&folders).map(|dir| dir.join(name));
            paths.extend(files.find(|file| file.is_file()));
        }
        if let Some(home) = cargo_home() {
            // The folder's other files include the passwords for registries.
            for part in ["registry", "git", "config.toml", "config"] {
                paths.push(home.join(part));
            }
        }
        paths.extend(tool_folder("RUSTUP_HOME", ".rustup"));
        paths.extend(self.toolchain.files());
        paths
    }

    /// Downloads the dependencies that are missing, and completes Cargo.lock. Without a network,
    /// this takes the crates that are here. Nothing of the crates is run.
    pub fn fetch(&self, options: &[String]) -> Result<()> {
        let attempted = "fetching dependencies";
        let lock = self.workspace.join("Cargo.lock");
        // cargo would write to wherever the link leads.
        if lock.is_symlink() {
            let message = format!("{} is a symbolic link", lock.display());
            return Err(Error::new(Kind::Usage, attempted, message)
                .help("replace it by the file itself, or remove it"));
        }
        let mut fetch = cargo();
        fetch
            .arg("fetch")
            .arg("--manifest-path")
            .arg(self.workspace.join("Cargo.toml"))
            .args(["--target", TARGET, "--target", HOST])
            .args(options)
            .env("CARGO_CACHE_RUSTC_INFO", "0")
            // A manifest may have unstable features, as those that koru writes have.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTC", &self.toolchain.rustc)
            .env_remove("RUSTC_WRAPPER")
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .env("CARGO_TERM_COLOR", "never");
        koru_kernels::run(&mut fetch, attempted)
            // The first error says what is wrong if this fails too.
            .or_else(|error| {
                koru_kernels::run(fetch.arg("--offline"), attempted).map_err(|_| error)
            })
            .map(|_| ())
    }
}

/// Returns whether cargo's complaint means that it needs the network, or has to write to
/// Cargo.lock: then [`CargoRun::fetch`] helps.
pub fn needs_fetch(said: &str) -> bool {
    // Warnings come first, and may be about Cargo.lock as well.
    let Some(error) = said.lines().position(|line| line.starts_with("error")) else {
        return false;
    };
    let mut error = said.lines().skip(error).peekable();
    // What a compiler or a build script says is about the code.
    let ran = [
        "error[",
        "error: failed to run custom build",
        "error: could not compile",
    ];
    let first = error.peek().copied().unwrap_or_default();
    !ran.iter().any(|begin| first.starts_with(begin))
        && error.any(|line| line.contains("--offline") || line.contains("Cargo.lock"))
}

fn free(
    command: &mut Command,
    attempted: &str,
    line: &(dyn Fn(Stream, &str) + Sync),
) -> Result<ExitStatus> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| spawn_error(command, attempted, e))?;
    let stderr = child.stderr.take().expect("piped");
    let stdout = child.stdout.take().expect("piped");
    thread::scope(|s| {
        s.spawn(|| {
            for text in BufReader::new(stderr).lines().map_while(|l| l.ok()) {
                line(Stream::Stderr, &text);
            }
        });
        for text in BufReader::new(stdout).lines().map_while(|l| l.ok()) {
            line(Stream::Stdout, &text);
        }
    });
    child.wait().map_err(|e| spawn_error(command, attempted, e))
}

/// Returns what helps if cargo could not read a file that exists, from its complaint.
pub fn unreadable(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("failed to read `")?;
    let file = Path::new(rest.split_once('`')?.0);
    let folder = file.parent().filter(|_| file.is_file())?;
    if said.contains("Permission denied") {
        let help = "the sandbox of root has another user id: let everybody read the folder";
        return Some(format!("{help} {}", folder.display()));
    }
    let help = "a build reads only the project's repository, or its folder: add `--with";
    Some(format!("{help} {}`", folder.display()))
}

/// Passes the user's own choices on to cargo in a sandbox.
fn pass_settings(command: &mut Command) {
    for (name, value) in env::vars_os() {
        let text = name.to_string_lossy();
        let is_set = command.get_envs().any(|(set, _)| set == name);
        if !is_set && SETTINGS.iter().any(|begin| text.starts_with(begin)) {
            command.env(name, value);
        }
    }
}

/// Returns cargo's own folder, with the crates that it has downloaded.
pub fn cargo_home() -> Option<PathBuf> {
    tool_folder("CARGO_HOME", ".cargo")
}

fn tool_folder(variable: &str, in_home: &str) -> Option<PathBuf> {
    let set = env::var_os(variable).filter(|v| !v.is_empty());
    set.map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(in_home)))
}

#[cfg(test)]
mod tests {
    use super::needs_fetch;

    #[test]
    fn warnings_and_code_do_not_ask_for_the_network() {
        let offline = "error: failed to get `log` as a dependency\n\nCaused by:\n  attempting to make \
                       an HTTP request, but --offline was specified\n";
        assert!(needs_fetch(offline));
        assert!(needs_fetch(
            "    Blocking\nerror: failed to open: /a/Cargo.lock\n"
        ));
        let warning = "warning: patch was not used\n      what is locked in the Cargo.lock file\n";
        assert!(!needs_fetch(warning));
        assert!(needs_fetch(&format!("{warning}{offline}")));
        let script = "error: failed to run custom build command for `a`\n  no Cargo.lock\n";
        assert!(!needs_fetch(&format!("{warning}{script}")));
        assert!(!needs_fetch(
            "error[E0425]: cannot find `a`\n--> Cargo.lock\n"
        ));
    }
}
