// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the files that a module makes in /proc and /dev.

use koru_protocol::Exec;
use koru_session::Session;

/// Lists /proc without its processes, /dev, and their folders.
const LIST: &str = "for f in /proc/[!0-9]* /dev/*; do echo \"$f\"; case $f in \
    /proc/self | /proc/thread-self | /proc/sys | /proc/kcore | /dev/fd) ;; \
    *) [ -d \"$f\" ] && ls -d \"$f\"/* 2>/dev/null;; esac; done; true";

/// Returns the files of /proc and /dev.
pub fn files(session: &Session) -> koru_session::Result<Vec<String>> {
    let listed = session.output(Exec::new(["sh", "-c", LIST]))?;
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    Ok(text.lines().map(str::to_owned).collect())
}

/// Returns a sentence about the files that are there now and were not before.
pub fn sentence(before: &[String], now: &[String]) -> String {
    let made: Vec<&str> = now
        .iter()
        .filter(|file| !before.contains(file))
        .map(String::as_str)
        .collect();
    match &made[..] {
        [] => "the module made no file in /proc or /dev when it was loaded".to_owned(),
        made => format!("the module made {}", made.join(", ")),
    }
}
