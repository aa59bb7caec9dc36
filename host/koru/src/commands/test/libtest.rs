//! Runs `cargo test`, and takes libtest's word for each test.

use std::{
    io::{self, BufRead, BufReader, Read},
    process::{Command, Stdio},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use koru_build::{Error, Report, Result};

use super::{Run, marked::Mark};
use crate::{
    commands::test_runner::{Cause, Failure, TestResult},
    oops::Log,
};

impl Run<'_> {
    pub(super) fn libtest(&self, suite: &str, mut cargo: Command) -> Result<()> {
        /// Far more than any test or crate takes.
        const SILENCE: Duration = Duration::from_secs(15 * 60);
        cargo.arg("--").args(&self.args.filters);
        let ui = &self.context.ui;
        ui.status(&format!("{suite}: compiling"));
        let tell = |test: &str| ui.status(&format!("{suite}: {test}"));
        let results = follow(&mut cargo, SILENCE, tell)
            .map_err(|e| Error::io("running cargo in", self.root(), e))?;
        for result in results {
            self.add(suite, result);
        }
        Ok(())
    }
}

/// Runs it to its end, or until it has said nothing for so long.
fn follow(
    command: &mut Command,
    silence: Duration,
    tell: impl Fn(&str),
) -> io::Result<Vec<TestResult>> {
    const TICK: Duration = Duration::from_millis(500);
    /// What ends with a test may take its time for that.
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
    let mut verdicts = Vec::new();
    let mut slow: Vec<String> = Vec::new();
    let mut last = begun;
    let mut heard = begun;
    let stands = loop {
        let line = match said.recv_timeout(TICK) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) if heard.elapsed() > silence => break true,
            // Something that it left behind may keep the pipes open.
            Err(RecvTimeoutError::Timeout) if child.try_wait()?.is_none() => continue,
            Err(_) => break false,
        };
        heard = Instant::now();
        if let Some(name) = slow_test(&line) {
            slow.push(name.into());
        }
        if let Some((name, word)) = verdict(&line) {
            tell(name);
            slow.retain(|slow| slow != name);
            verdicts.push((name.to_owned(), word.to_owned(), last.elapsed()));
            last = Instant::now();
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
    let failed = |why: String, output: String| Failure {
        cause: Cause::Test,
        why,
        output,
        log: Log::default(),
    };
    let mut results: Vec<_> = verdicts
        .into_iter()
        .map(|(name, word, took)| TestResult {
            failure: (word == "FAILED")
                .then(|| failed("the test failed".into(), section(&text, &name))),
            ignored: word
                .strip_prefix("ignored")
                .map(|why| why.trim_start_matches(", ").to_owned()),
            name,
            took,
        })
        .collect();
    let why = match stands {
        true => format!(
            "it was ended: nothing was heard for {} s",
            silence.as_secs()
        ),
        false => format!("cargo test failed ({status})"),
    };
    if stands {
        results.extend(slow.drain(..).map(|name| TestResult {
            name,
            took: heard.elapsed(),
            failure: Some(failed(why.clone(), String::new())),
            ignored: None,
        }));
    }
    let none_failed = results.iter().all(|r| r.failure.is_none());
    if !left.is_empty() {
        let why = format!("left running, and ended now: {}", left.join(", "));
        results.push(TestResult {
            name: "nothing is left running".into(),
            took: Duration::ZERO,
            failure: Some(failed(why, String::new())),
            ignored: None,
        });
    }
    if none_failed && (stands || !status.success()) {
        // Not a test: it does not compile, or a test binary died or stands still.
        results.push(TestResult {
            name: "cargo test".into(),
            took: begun.elapsed(),
            failure: Some(failed(why, text)),
            ignored: None,
        });
    }
    Ok(results)
}

/// Reads its lines, in a thread.
fn read(from: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(|line| line.ok()) {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
}

/// `test NAME ... ok`
fn verdict(line: &str) -> Option<(&str, &str)> {
    let (name, word) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let word = word.trim();
    matches!(
        word.split([',', ' ']).next(),
        Some("ok" | "FAILED" | "ignored")
    )
    .then_some((name, word))
}

/// `test NAME has been running for over 60 seconds`
fn slow_test(line: &str) -> Option<&str> {
    let (name, _) = line
        .strip_prefix("test ")?
        .split_once(" has been running for over ")?;
    Some(name)
}

/// What libtest shows of a failed test.
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
        let results = follow(shell.args(["-c", script]), Duration::from_secs(2), |_| ());
        let results = results.expect("a shell").into_iter();
        results
            .map(|r| (r.name, r.failure.map(|f| f.why)))
            .collect()
    }

    #[test]
    fn one_that_stands_still_is_named() {
        // A grandchild has the pipe, as a test's guest may.
        let still = of("echo 'test a ... ok'; (sleep 1000; :) & \
                        echo 'test b has been running for over 60 seconds'; wait");
        let why = "it was ended: nothing was heard for 2 s";
        assert_eq!(still, [("a".into(), None), ("b".into(), Some(why.into()))]);
        let nameless = of("sleep 1000; :");
        assert_eq!(nameless, [("cargo test".into(), Some(why.into()))]);
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
        // Not a child of anybody any more, and with no pipe of ours.
        let left = of("(setsid sleep 1000 >/dev/null 2>&1 &); echo 'test b ... ok'");
        let why = "left running, and ended now: sleep";
        let found = ("nothing is left running".into(), Some(why.into()));
        assert_eq!(left, [("b".into(), None), found]);
        assert!(begun.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn one_whose_processes_end_a_little_later() {
        let left = of("(setsid sleep 2 >/dev/null 2>&1 &); echo 'test b ... ok'");
        assert_eq!(left, [("b".into(), None)]);
    }
}
