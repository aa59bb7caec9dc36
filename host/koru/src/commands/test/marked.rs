// SPDX-License-Identifier: MIT OR Apache-2.0

//! All that a command has started, however deep: a mark in the environment tells them,
//! also those that have left their parents.

use std::{
    fs,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

const NAME: &str = "KORU_TEST_RUN";

pub struct Mark(String);

impl Mark {
    /// Marks what this command will start.
    pub fn put_on(command: &mut Command) -> Mark {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let value = format!("{}-{next}", std::process::id());
        command.env(NAME, &value);
        Mark(format!("{NAME}={value}"))
    }

    /// Waits until all are gone, but not longer than this.
    pub fn wait(&self, limit: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < limit && !self.processes().is_empty() {
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends all that is left. Their names.
    pub fn end(&self) -> Vec<String> {
        let mut ended = Vec::new();
        // One may start another meanwhile.
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
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let marked = |entry: fs::DirEntry| {
            let pid = entry.file_name().to_str()?.parse().ok();
            let pid = Pid::from_raw(pid?)?;
            let environment = fs::read(entry.path().join("environ")).ok()?;
            let mut variables = environment.split(|byte| *byte == 0);
            variables.find(|variable| *variable == self.0.as_bytes())?;
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            Some((pid, name.trim().to_owned()))
        };
        all.filter_map(marked).collect()
    }
}
