// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs `cargo test`, and reads the results of the tests from libtest's output.

use std::{
    io::{self, BufRead, BufReader, Read},
    process::{Command, Stdio},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use koru_error::{IoContext, Result};
use koru_kernels::Progress;

use super::marked::Mark;
use crate::{
    log::oops::Log,
    testing::{
        result::{Cause, Failure, TestResult},
        test_run::TestRun,
    },
};

/// The reason of tests that only a part of all runs runs: `#[ignore = "takes long"]`.
const TAKES_LONG: &str = "takes long";

impl TestRun<'_> {
    /// Runs the tests of this `cargo test`, and then those that take long and are in this part.
    pub(super) fn libtest(&self, suite: &str, mut cargo: Command) -> Result<()> {
        let mut take_long = Vec::new();
        cargo.arg("--").args(&self.args.filters);
        self.context.ui.status(&format!("{suite}: compiling"));
        self.follow(suite, &mut cargo, |result| {
            match result.ignored.as_deref() == Some(TAKES_LONG) {
                true => take_long.push(result),
                false => self.add(suite, result),
            }
        })?;
        let (now, later): (Vec<_>, Vec<_>) = take_long
            .into_iter()
            .partition(|result| self.part.has(&result.name));
        for mut result in later {
            result.ignored = Some(format!("{TAKES_LONG}, and is in another part"));
            self.add(suite, result);
        }
        if now.is_empty() {
            return Ok(());
        }
        cargo
            .args(["--ignored", "--exact"])
            .args(now.iter().map(|result| &result.name));
        self.follow(suite, &mut cargo, |result| self.add(suite, result))
    }

    fn follow(&self, suite: &str, cargo: &mut Command, add: impl FnMut(TestResult)) -> Result<()> {
        /// A silence that is far longer than any test or crate takes.
        const SILENCE: Duration = Duration::from_secs(15 * 60);
        let ui = &self.context.ui;
        let tell = |test: &str| ui.status(&format!("{suite}: {test} failed"));
        follow(cargo, SILENCE, tell, add).path_context("running cargo in", self.root())
    }
}

/// Runs `command` to its end, or until it has printed nothing for `silence`.
///
/// `add` receives a test that passes at once, and one that fails at the end, because libtest
/// shows the output of failed tests only then; `tell` receives the name of a failed test at
/// once.
fn follow(
    command: &mut Command,
    silence: Duration,
    tell: impl Fn(&str),
    mut add: impl FnMut(TestResult),
) -> io::Result<()> {
    const TICK: Duration = Duration::from_millis(500);
    /// How long processes that end with a test may take for that.
    const GRACE: Duration = Duration::from_secs(10);
    let begun = Instant::now();
    let mark = Mark::put_on(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (lines, said) = channel();
    read(child.stdout.take().expect("piped"), lines.clone());
    read(child.stderr.take().expect("piped"), lines);
    let mut text = String::new();
    let mut failures: Vec<(String, Duration)> = Vec::new();
    let mut slow: Vec<String> = Vec::new();
    let mut last = begun;
    let mut heard = begun;
    let stands = loop {
        let line = match said.recv_timeout(TICK) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) if heard.elapsed() > silence => break true,
            // A process that the command left behind may keep the pipes open.
            Err(RecvTimeoutError::Timeout) if child.try_wait()?.is_none() => continue,
            Err(_) => break false,
        };
        heard = Instant::now();
        if let Some(name) = slow_test(&line) {
            slow.push(name.into());
        }
        // What was before this, such as compiling, is not the first test's.
        if line.starts_with("running ") {
            last = heard;
        }
        if let Some((name, word)) = verdict(&line) {
            slow.retain(|slow| slow != name);
            let took = last.elapsed();
            last = Instant::now();
            if word == "FAILED" {
                tell(name);
                failures.push((name.to_owned(), took));
            } else {
                let ignored = word.strip_prefix("ignored");
                add(TestResult {
                    name: name.to_owned(),
                    took,
                    failure: None,
                    ignored: ignored.map(|why| why.trim_start_matches(", ").to_owned()),
                });
            }
        }
        text += &line;
        text.push('\n');
    };
    if stands {
        mark.end();
    }
    let status = child.wait()?;
    mark.wait(GRACE);
    let left = mark.end();
    let mut fail = |name: String, took, why: String, output: String| {
        add(TestResult {
            name,
            took,
            failure: Some(Failure {
                cause: Cause::Test,
                why,
                output,
                log: Log::default(),
            }),
            ignored: None,
        });
    };
    let why = match stands {
        true => format!("killed: no output for {} s", silence.as_secs()),
        false => format!("cargo test failed ({status})"),
    };
    let mut none_failed = failures.is_empty();
    for (name, took) in failures {
        let output = section(&text, &name);
        fail(name, took, "the test failed".into(), output);
    }
    if stands {
        none_failed &= slow.is_empty();
        for name in slow {
            fail(name, heard.elapsed(), why.clone(), String::new());
        }
    }
    if !left.is_empty() {
        let why = format!("left running, and killed now: {}", left.join(", "));
        let name = "nothing is left running".into();
        fail(name, Duration::ZERO, why, String::new());
    }
    if none_failed && (stands || !status.success()) {
        // No test failed: the code does not compile, or a test binary died or hangs.
        fail("cargo test".into(), begun.elapsed(), why, text);
    }
    Ok(())
}

/// Starts a thread that reads lines and sends them on.
fn read(from: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(|line| line.ok()) {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
}

/// Parses a line `test NAME ... ok`.
fn verdict(line: &str) -> Option<(&str, &str)> {
    let (name, word) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let word = word.trim();
    matches!(
        word.split([',', ' ']).next(),
        Some("ok" | "FAILED" | "ignored")
    )
    .then_some((name, word))
}

/// Parses a line `test NAME has been running for over 60 seconds`.
fn slow_test(line: &str) -> Option<&str> {
    let (name, _) = line
        .strip_prefix("test ")?
        .split_once(" has been running for over ")?;
    Some(name)
}

/// Returns what libtest shows about a failed test.
fn section(text: &str, name: &str) -> String {
    let head = format!("---- {name} stdout ----");
    let rest = text.split(&head).nth(1).unwrap_or_default();
    let ends = ["\n---- ", "\nfailures:\n"].map(|end| rest.find(end));
    let end = ends.into_iter().flatten().min().unwrap_or(rest.len());
    rest[..end].trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        assert_eq!(verdict("test a::b ... ok"), Some(("a::b", "ok")));
        assert_eq!(verdict("test a ... FAILED"), Some(("a", "FAILED")));
        assert_eq!(
            verdict("test src/x.rs - y (line 3) - compile ... ok"),
            Some(("src/x.rs - y (line 3) - compile", "ok"))
        );
        assert_eq!(verdict("test result: ok. 3 passed"), None);
    }

    #[test]
    fn a_failed_tests_output() {
        let text = "failures:\n\n---- a stdout ----\n\npanicked\n\nhere\n\n\
                    ---- b stdout ----\nb\n\n\nfailures:\n    a\n";
        assert_eq!(section(text, "a"), "panicked\n\nhere");
        assert_eq!(section(text, "b"), "b");
    }

    #[track_caller]
    fn of(script: &str) -> Vec<(String, Option<String>)> {
        let mut shell = Command::new("sh");
        let mut results = Vec::new();
        let command = shell.args(["-c", script]);
        let add = |r: TestResult| results.push((r.name, r.failure.map(|f| f.why)));
        follow(command, Duration::from_secs(2), |_| (), add).expect("a shell");
        results
    }

    #[test]
    fn one_that_stands_still_is_named() {
        // A grandchild keeps the pipe open, as a test's guest may.
        let still = of("echo 'test a ... ok'; (sleep 1000; :) & \
                        echo 'test b has been running for over 60 seconds'; wait");
        let why = "killed: no output for 2 s";
        assert_eq!(still, [("a".into(), None), ("b".into(), Some(why.into()))]);
        let nameless = of("sleep 1000; :");
        assert_eq!(nameless, [("cargo test".into(), Some(why.into()))]);
    }

    #[test]
    fn each_is_told_when_it_ends() {
        let both = of("echo 'test a ... FAILED'; echo 'test b ... ok'; exit 101");
        let failed = ("a".into(), Some("the test failed".into()));
        assert_eq!(both, [("b".into(), None), failed]);
    }

    #[test]
    fn one_that_only_takes_long() {
        let long = of("echo 'test b has been running for over 60 seconds'; \
                       for i in 1 2 3 4 5 6; do sleep 0.5; echo $i; done; echo 'test b ... ok'");
        assert_eq!(long, [("b".into(), None)]);
    }

    #[test]
    fn one_that_leaves_something_behind() {
        let begun = Instant::now();
        // The process has no parent any more, and none of our pipes.
        let left = of("(setsid sleep 1000 >/dev/null 2>&1 &); echo 'test b ... ok'");
        let why = "left running, and killed now: sleep";
        let found = ("nothing is left running".into(), Some(why.into()));
        assert_eq!(left, [("b".into(), None), found]);
        assert!(begun.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn one_whose_processes_end_a_little_later() {
        let left = of("(setsid sleep 2 >/dev/null 2>&1 &); echo 'test b ... ok'");
        assert_eq!(left, [("b".into(), None)]);
    }

    #[test]
    fn one_whose_processes_replace_themselves() {
        // In the middle of execve, a process shows no environment, and so no mark.
        let left = of(
            "export N=0 S='N=$((N + 1)); [ $N = 500 ] || exec sh -c \"$S\"'; \
                       (setsid sh -c \"$S\" >/dev/null 2>&1 &); echo 'test b ... ok'",
        );
        assert_eq!(left, [("b".into(), None)]);
    }
}
