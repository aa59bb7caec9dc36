// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds all processes that a command has started, directly or not, by a mark in their
//! environment. This also finds those that have left their parents.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

const NAME: &str = "KORU_TEST_RUN";

pub struct Mark(String);

impl Mark {
    /// Marks all processes that this command will start.
    pub fn put_on(command: &mut Command) -> Mark {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let value = format!("{}-{next}", std::process::id());
        command.env(NAME, &value);
        Mark(format!("{NAME}={value}"))
    }

    /// Waits until all marked processes are gone, but no longer than `limit`.
    pub fn wait(&self, limit: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < limit && !self.processes().is_empty() {
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills the processes that are left, and returns their names.
    pub fn end(&self) -> Vec<String> {
        let mut ended = Vec::new();
        // A process may start another one meanwhile.
        for _ in 0..100 {
            let left = self.processes();
            if left.is_empty() {
                break;
            }
            for (pid, name) in left {
                if kill_process(pid, Signal::KILL).is_ok() && !ended.contains(&name) {
                    ended.push(name);
                }
            }
            thread::sleep(Duration::from_millis(20));
        }
        ended
    }

    fn processes(&self) -> Vec<(Pid, String)> {
        /// Far longer than a call of execve takes to put the environment in its place.
        const ROUNDS: usize = 50;
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pid = |entry: fs::DirEntry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?);
        let mut unknown: Vec<Pid> = all.filter_map(pid).collect();
        let mut marked = Vec::new();
        for round in 0..ROUNDS {
            if round > 0 {
                thread::sleep(Duration::from_millis(2));
            }
            unknown.retain(|pid| match self.is_on(*pid) {
                Some(true) => {
                    marked.push((*pid, name(*pid)));
                    false
                }
                Some(false) => false,
                None => true,
            });
            // One that is found is enough to be called again.
            if unknown.is_empty() || !marked.is_empty() {
                break;
            }
        }
        marked
    }

    /// Whether this process has the mark. `None` if it shows no environment at all, as
    /// a process in the middle of execve does.
    fn is_on(&self, pid: Pid) -> Option<bool> {
        let folder = folder(pid);
        let Ok(environment) = environment(&folder) else {
            // It has ended, or it is another user's.
            return Some(false);
        };
        if environment.is_empty() && fs::read_link(folder.join("exe")).is_ok() {
            // Neither a thread of the kernel nor a zombie.
            return None;
        }
        let mut variables = environment.split(|byte| *byte == 0);
        Some(variables.any(|variable| variable == self.0.as_bytes()))
    }
}

/// Reads it in one call if it fits, for the rest of it is gone after an execve.
fn environment(folder: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(folder.join("environ"))?;
    let mut bytes = vec![0; 256 * 1024];
    let length = file.read(&mut bytes)?;
    let whole = length < bytes.len();
    bytes.truncate(length);
    if !whole {
        file.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn folder(pid: Pid) -> PathBuf {
    Path::new("/proc").join(pid.as_raw_nonzero().to_string())
}

fn name(pid: Pid) -> String {
    let name = fs::read_to_string(folder(pid).join("comm")).unwrap_or_default();
    name.trim().to_owned()
}
