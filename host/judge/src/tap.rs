// SPDX-License-Identifier: MIT OR Apache-2.0

//! The results that a program reports as TAP, or as the kernel's KTAP.

/// The results in a program's output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tap {
    pub passed: usize,
    /// The number of results that the plan announces, or that there are.
    pub all: usize,
    /// The texts of those that failed.
    pub failed: Vec<String>,
}

impl Tap {
    /// Reads an output. Returns `None` if it has no results.
    pub fn parse(output: &str) -> Option<Tap> {
        let mut tap = Tap::default();
        let mut planned = 0;
        for line in output.lines() {
            // Results of subtests are indented, and summed up in one that is not.
            if let Some(plan) = line.strip_prefix("1..") {
                let count = plan.split_whitespace().next().unwrap_or_default();
                planned = count.parse().unwrap_or(0).min(10_000);
            } else if let Some(rest) = after_word(line, "not ok") {
                tap.all += 1;
                // A result that is still to be done counts as passed, as TAP has it.
                match rest.to_ascii_uppercase().contains("# TODO") {
                    true => tap.passed += 1,
                    false => tap.failed.push(rest.trim().to_owned()),
                }
            } else if after_word(line, "ok").is_some() {
                tap.all += 1;
                tap.passed += 1;
            } else if line.starts_with("Bail out!") {
                tap.failed.push(line.to_owned());
            }
        }
        for missing in tap.all..planned {
            tap.failed.push(format!("{} did not come", missing + 1));
        }
        tap.all = tap.all.max(planned);
        (tap.all > 0).then_some(tap)
    }
}

fn after_word<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(word)?;
    (rest.is_empty() || rest.starts_with(' ')).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_counted() {
        let output = "TAP version 14\n1..4\nok 1 - opens\nnot ok 2 - reads\n    not ok 1 - inner\n\
                      ok 3 # SKIP no device\nokay\n";
        let tap = Tap::parse(output).unwrap();
        assert_eq!((tap.passed, tap.all), (2, 4));
        assert_eq!(tap.failed, ["2 - reads", "4 did not come"]);
        assert_eq!(Tap::parse("all is ok\n"), None);
    }
}
