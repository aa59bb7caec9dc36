// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reports the results of `koru verify`: on a terminal, as a document, and for programs.

use std::{fmt::Write as _, fs, path::Path, time::Duration};

use indicatif::HumanBytes;
use koru_error::{IoContext, Result};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::{
    causes::common_causes,
    check_result::{CheckResult, Verdict},
    module_under_test::Subject,
};
use crate::{
    testing::{
        junit::write_junit_file,
        markdown::{escape, fenced},
    },
    ui::new_table,
};

/// Everything that a report contains.
pub struct VerifyReport<'a> {
    pub name: &'a str,
    pub subject: &'a Subject,
    /// The course's own version of the contract.
    pub contract: Option<&'a Path>,
    pub results: &'a [CheckResult],
    /// What holds for all requirements, such as the files that the module made.
    pub notes: &'a [String],
    /// The output of a build that failed.
    pub build_output: Option<&'a str>,
}

impl VerifyReport<'_> {
    fn count(&self, verdict: Verdict) -> usize {
        let of = |f: &&CheckResult| f.result == verdict;
        self.results.iter().filter(of).count()
    }

    /// Returns a summary such as `5 of 7 promises kept, 1 broken, 1 crashed the kernel`.
    fn summary(&self) -> String {
        let mut text = format!(
            "{} of {} promises kept",
            self.count(Verdict::Pass),
            self.results.len()
        );
        for (verdict, words) in [
            (Verdict::Fail, "broken"),
            (Verdict::Crash, "crashed the kernel"),
            (Verdict::Skipped, "not tried"),
            (
                Verdict::Unbuilt,
                "not tried, because the module does not build",
            ),
            (
                Verdict::Interrupted,
                "not tried, because of an interruption",
            ),
        ] {
            match self.count(verdict) {
                0 => {}
                n => _ = write!(text, ", {n} {words}"),
            }
        }
        text
    }

    fn subject_line(&self) -> String {
        let contract = match self.contract {
            Some(path) => format!(" as {} has it", path.display()),
            None => String::new(),
        };
        let file = match &self.subject.file {
            Some(file) => format!("{}, sha256 {}", HumanBytes(file.size), &file.sha256[..12]),
            None => "does not build".to_owned(),
        };
        format!(
            "{} ({file}) by the contract of {}{contract}, on {}",
            self.subject.shown, self.name, self.subject.release
        )
    }

    /// Returns what many requirements have in common, as lines for the top of a report.
    fn top(&self) -> Vec<String> {
        let causes = common_causes(self.results).into_iter();
        let causes = causes.map(|c| format!("{}: {} promises", c.text, c.count));
        let is_broken = |r: &CheckResult| matches!(r.result, Verdict::Fail | Verdict::Crash);
        let notes = self.notes.iter().cloned();
        let shown = self.results.iter().any(is_broken) || self.build_output.is_some();
        causes.chain(notes.filter(|_| shown)).collect()
    }

    /// Returns the results for a terminal.
    pub fn table(&self) -> String {
        let mut table = new_table();
        table.set_header(["promise", "result", "what was seen"]);
        for result_of in self.results {
            table.add_row([
                result_of.requirement.clone(),
                result_of.result.word().to_owned(),
                result_of.words_within(IN_A_TABLE),
            ]);
        }
        let top: String = self.top().iter().map(|line| format!("{line}\n")).collect();
        let top = match top.is_empty() {
            true => top,
            false => format!("\n{top}"),
        };
        // There is nothing to compare where every line says the same.
        let rows = match self.build_output {
            Some(_) => String::new(),
            None => format!("\n{}\n", table.trim_fmt()),
        };
        format!("{top}{rows}\n{}\n{}", self.subject_line(), self.summary())
    }

    pub fn write_junit(&self, path: &Path) -> Result<()> {
        let mut report = quick_junit::Report::new("koru verify");
        let name = format!("{} on {}", self.name, self.subject.release);
        let mut suite = TestSuite::new(name);
        for result_of in self.results {
            let mut status = match result_of.result {
                Verdict::Pass => TestCaseStatus::success(),
                Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
                Verdict::Crash => TestCaseStatus::non_success(NonSuccessKind::Error),
                Verdict::Unbuilt => TestCaseStatus::non_success(NonSuccessKind::Error),
                Verdict::Skipped | Verdict::Interrupted => TestCaseStatus::skipped(),
            };
            if result_of.result != Verdict::Pass {
                status.set_message(result_of.words());
                let log = &result_of.shown;
                status.set_description(format!("{}\n\n{log}", result_of.requirement));
            }
            let mut case = TestCase::new(result_of.test.clone(), status);
            case.set_classname(self.name);
            case.set_time(result_of.seconds);
            case.add_property(("promise", result_of.requirement.as_str()));
            suite.add_test_case(case);
        }
        suite.set_time(self.results.iter().map(|f| f.seconds).sum::<Duration>());
        for (key, value) in [
            ("module", self.subject.shown.as_str()),
            (
                "sha256",
                self.subject.file.as_ref().map_or("", |f| &f.sha256),
            ),
            ("kernel", self.subject.release.as_str()),
        ] {
            suite.add_property((key, value));
        }
        report.add_test_suite(suite);
        write_junit_file(&report, path)
    }

    pub fn write_markdown(&self, path: &Path) -> Result<()> {
        let write = |text: &str| {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(path, text)
        };
        write(&self.markdown()).path_context("writing", path)
    }

    fn markdown(&self) -> String {
        let mut text = format!("# {}: {}\n\n", escape(self.name), self.summary());
        let contract = self
            .contract
            .map_or("ours".to_owned(), |p| p.display().to_string());
        let mut facts = vec![("Module", escape(&self.subject.shown))];
        if let Some(file) = &self.subject.file {
            facts.push(("Size", format!("{} bytes", file.size)));
            facts.push(("SHA-256", format!("`{}`", file.sha256)));
        }
        facts.push(("Kernel", escape(&self.subject.release)));
        facts.push(("Contract", escape(&contract)));
        for (key, value) in facts {
            _ = writeln!(text, "- {key}: {value}");
        }
        for line in self.top() {
            _ = write!(text, "\n{}\n", escape(&line));
        }
        if let Some(output) = self.build_output {
            _ = write!(text, "\n## It does not build\n\n{}", fenced(output));
        }
        text += "\n| Promise | Result | What was seen |\n|---|---|---|\n";
        for result_of in self.results {
            let seen = result_of.words_within(IN_A_TABLE);
            let lines: Vec<String> = seen.lines().map(escape).collect();
            _ = writeln!(
                text,
                "| {} | {} | {} |",
                escape(&result_of.requirement),
                result_of.result.word(),
                lines.join("<br>")
            );
        }
        let message = |f: &&CheckResult| matches!(f.result, Verdict::Fail | Verdict::Crash);
        let broken = self.results.iter().filter(message);
        for result_of in broken {
            _ = write!(
                text,
                "\n## {}: {}\n\nTest `{}`, after {:.1} s.\n\n{}",
                result_of.result.word(),
                escape(&result_of.requirement),
                result_of.test,
                result_of.seconds.as_secs_f64(),
                fenced(&result_of.words())
            );
            if !result_of.shown.is_empty() {
                text += "\nThe kernel's log meanwhile:\n\n";
                let log: Vec<String> = result_of.shown.lines().map(str::to_owned).collect();
                text += &fenced(&excerpt(&log));
            }
        }
        text
    }
}

/// The number of characters of each part that a table shows.
const IN_A_TABLE: usize = 240;

/// Returns the beginning and the end of a long log: an oops is described by its first lines.
fn excerpt(log: &[String]) -> String {
    const FIRST: usize = 60;
    const LAST: usize = 20;
    if log.len() <= FIRST + LAST {
        return log.join("\n");
    }
    let between = format!("... {} lines ...", log.len() - FIRST - LAST);
    [&log[..FIRST], &[between], &log[log.len() - LAST..]]
        .concat()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_logs_are_cut_in_the_middle() {
        let log: Vec<String> = (0..100).map(|i| i.to_string()).collect();
        let cut = excerpt(&log);
        assert!(cut.contains("59\n... 20 lines ...\n80"), "{cut}");
        assert_eq!(excerpt(&log[..80]).lines().count(), 80);
    }
}
