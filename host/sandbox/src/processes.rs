// SPDX-License-Identifier: MIT OR Apache-2.0

//! Looks at the processes of a sandbox from outside.

use std::fs;

/// What the processes of a sandbox use at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// The number of processes and threads.
    pub threads: u64,
    /// The bytes of memory that are not a file's.
    pub memory: u64,
}

/// Measures the processes below `root`, which is the sandbox's process 1. A process whose
/// parent has ended is a child of process 1, so none is missed.
pub fn usage(root: u32) -> Usage {
    let mut usage = Usage::default();
    let mut left = children(root).1;
    while let Some(process) = left.pop() {
        let (threads, children) = children(process);
        usage.threads += threads;
        usage.memory += memory(process);
        left.extend(children);
    }
    usage
}

/// Returns the number of a process's threads, and its children.
pub fn children(process: u32) -> (u64, Vec<u32>) {
    let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else {
        return (0, Vec::new());
    };
    let mut threads = 0;
    let mut children = Vec::new();
    for task in tasks.flatten() {
        threads += 1;
        let list = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.extend(
            list.split_whitespace()
                .filter_map(|p| p.parse::<u32>().ok()),
        );
    }
    (threads, children)
}

fn memory(process: u32) -> u64 {
    fs::read_to_string(format!("/proc/{process}/status"))
        .map(|status| own_memory(&status))
        .unwrap_or_default()
}

/// Returns the bytes of memory in `/proc/PID/status` that are not a file's.
fn own_memory(status: &str) -> u64 {
    let kilobytes = |line: &str| line.split_whitespace().nth(1)?.parse::<u64>().ok();
    status
        .lines()
        .filter(|l| l.starts_with("RssAnon:") || l.starts_with("RssShmem:"))
        .filter_map(kilobytes)
        .sum::<u64>()
        * 1024
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn memory_is_what_is_no_file() {
        let status = "Name:\tsh\nVmRSS:\t 900 kB\nRssAnon:\t 100 kB\nRssFile:\t 700 kB\n\
                      RssShmem:\t 20 kB\n";
        assert_eq!(own_memory(status), 120 * 1024);
        assert_eq!(own_memory(""), 0);
    }

    #[test]
    fn grandchildren_count() {
        let mut shell = Command::new("sh")
            .args(["-c", "(cat; true); true"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        while usage(shell.id()).threads < 2 {
            std::thread::yield_now();
        }
        assert!(usage(shell.id()).memory > 0);
        drop(shell.stdin.take());
        shell.wait().unwrap();
        assert_eq!(usage(shell.id()), Usage::default());
    }
}
