// SPDX-License-Identifier: MIT OR Apache-2.0

//! Helpers: sandboxes with small limits, and tests that run as root and as a plain user.

#![allow(dead_code, reason = "each test file uses some of these")]

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use koru_error::Error;
use koru_sandbox::{Limits, Sandbox};
use tempfile::TempDir;

pub const MEGABYTE: u64 = 1 << 20;

/// Set in the copies of a test that another one runs.
const ROLE: &str = "KORU_SANDBOX_TEST_ROLE";

pub fn limits() -> Limits {
    Limits {
        time: Duration::from_secs(60),
        memory: 2048 * MEGABYTE,
        processes: 64,
        disk: 32 * MEGABYTE,
        output: MEGABYTE,
    }
}

/// Returns a folder that any user can enter.
pub fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

pub fn sh(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// Runs a shell script in a sandbox.
pub fn run(sandbox: &Sandbox, script: &str) -> Result<Output, Error> {
    sandbox.output(&sh(script), "testing")
}

/// Runs a script that must succeed, and returns what it printed.
pub fn ok(sandbox: &Sandbox, script: &str) -> String {
    let output = run(sandbox, script).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

pub fn role() -> Option<String> {
    env::var(ROLE).ok()
}

/// Returns the command that runs a test of this file again, in a role. The program is a copy,
/// since a plain user may not enter the folder that it is in.
pub fn again(dir: &Path, prefix: &[&str], test: &str, role: &str) -> Command {
    let copy = dir.join("test-binary");
    fs::copy(env::current_exe().unwrap(), &copy).unwrap();
    let words = prefix.iter().map(PathBuf::from).chain([copy]);
    let words: Vec<PathBuf> = words.collect();
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .args(["--exact", test, "--nocapture"])
        .current_dir(dir)
        .env(ROLE, role);
    command
}

/// Runs a test as the user who runs the tests, and if that is root, as a plain user as well.
pub fn as_each_user(test: &str, body: fn()) {
    body();
    if role().is_some() || !is_root() {
        return;
    }
    let dir = folder();
    let plain = [
        "setpriv",
        "--reuid=54321",
        "--regid=54321",
        "--clear-groups",
    ];
    let output = again(dir.path(), &plain, test, "plain").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "as a plain user: {said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

pub fn is_root() -> bool {
    fs::read_to_string("/proc/self/status")
        .unwrap()
        .lines()
        .any(|l| l.starts_with("Uid:\t0\t"))
}

/// Returns whether a process has this word in its command line.
pub fn is_running(word: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|p| fs::read(p.path().join("cmdline")).ok())
        .any(|line| line.split(|b| *b == 0).any(|w| w == word.as_bytes()))
}
