// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds what many broken requirements have in common, which is told once.

use super::check_result::{CheckResult, Verdict};

/// One reason for which several requirements are broken.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub struct CommonCause {
    /// The reason, in words for the author of the module.
    #[serde(rename = "cause")]
    pub text: String,
    /// How many requirements are broken for it.
    #[serde(rename = "requirements")]
    pub count: usize,
}

/// The number of requirements from which on a reason is told.
const SEVERAL: usize = 3;

/// Returns the reasons for which several requirements are broken, the most common one first.
pub fn common_causes(results: &[CheckResult]) -> Vec<CommonCause> {
    let mut causes: Vec<CommonCause> = Vec::new();
    let mut known: Vec<String> = Vec::new();
    for result in results {
        let Some((key, text)) = cause_of(result) else {
            continue;
        };
        match known.iter().position(|k| *k == key) {
            Some(at) => causes[at].count += 1,
            None => {
                known.push(key);
                causes.push(CommonCause { text, count: 1 });
            }
        }
    }
    causes.retain(|cause| cause.count >= SEVERAL);
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.count));
    causes
}

/// Returns what tells causes apart, and the text that is shown.
fn cause_of(result: &CheckResult) -> Option<(String, String)> {
    if !matches!(result.result, Verdict::Fail | Verdict::Crash) {
        return None;
    }
    let seen = result.seen.as_deref()?;
    if let Some(promised) = &result.promised {
        if let Some((theirs, ours)) = other_spelling(promised, seen) {
            let text = format!("your file says `{theirs}`; the contract says `{ours}`");
            return Some((text.clone(), text));
        }
    }
    // Numbers differ from test to test.
    let head = |text: &str| -> String {
        let first = text.lines().next().unwrap_or_default();
        first.chars().filter(|c| !c.is_ascii_digit()).collect()
    };
    let promised = result.promised.as_deref().unwrap_or_default();
    let short = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let text = match promised {
        "" => short(seen),
        _ => format!("promised: {}; seen: {}", short(promised), short(seen)),
    };
    Some((format!("{}\n{}", head(promised), head(seen)), text))
}

/// Returns how a label of the contract is spelt in what was seen, and the label, if the two
/// differ in capitals and blanks only. A promise has its labels in backquotes, such as
/// "the line `current time: S.N`".
fn other_spelling(promised: &str, seen: &str) -> Option<(String, String)> {
    let quoted = promised.split('`').skip(1).step_by(2);
    let labels = quoted.filter_map(|text| Some(format!("{}:", text.split_once(':')?.0)));
    labels
        .filter(|label| !seen.contains(label.as_str()))
        .find_map(|label| Some((spelt_otherwise(&label, seen)?, label)))
}

/// Returns the part of `text` that is `label` but for capitals and blanks.
fn spelt_otherwise(label: &str, text: &str) -> Option<String> {
    let wanted: Vec<char> = folded(label).collect();
    let begins = text.char_indices().map(|(at, _)| at);
    begins.into_iter().find_map(|begin| {
        let rest = &text[begin..];
        let mut matched = 0;
        for (at, c) in rest.char_indices() {
            if c == ' ' || c == '\t' || c == '_' || c == '-' {
                // The part begins with a letter.
                if matched == 0 {
                    return None;
                }
                continue;
            }
            for lower in c.to_lowercase() {
                if wanted.get(matched) != Some(&lower) {
                    return None;
                }
                matched += 1;
            }
            if matched == wanted.len() {
                return Some(rest[..at + c.len_utf8()].to_owned());
            }
        }
        None
    })
}

/// Returns a label's letters without capitals and blanks.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .filter(|c| ![' ', '\t', '_', '-'].contains(c))
        .flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{commands::verify::requirements::Requirement, log::oops::Log};

    fn fail(promised: Option<&str>, seen: &str) -> CheckResult {
        let requirement = Requirement {
            test: "a".into(),
            text: "A.".into(),
            slow: false,
        };
        let result = CheckResult::without_a_try(&requirement, Verdict::Fail, seen, &Log::default());
        CheckResult {
            promised: promised.map(str::to_owned),
            ..result
        }
    }

    #[test]
    fn other_capitals_are_one_cause() {
        let promised = "the line `current time: S.N`, then perhaps `elapsed time: S.N`";
        let mut results = vec![fail(None, "ENOENT")];
        for seen in [
            "Current Time: 1.5",
            "Current Time: 2.0",
            "x\nCurrent Time: 3",
        ] {
            results.push(fail(Some(promised), seen));
        }
        let causes = common_causes(&results);
        let text = "your file says `Current Time:`; the contract says `current time:`";
        assert_eq!(
            causes,
            [CommonCause {
                text: text.into(),
                count: 3
            }]
        );
    }

    #[test]
    fn same_thing_seen_is_one_cause_whatever_its_numbers() {
        let seen = |n: u32| fail(None, &format!("oops in f (a.c:9): address {n}"));
        let causes = common_causes(&[seen(1), seen(22), seen(3), fail(None, "another")]);
        assert_eq!(causes.len(), 1);
        assert_eq!(
            (causes[0].count, &*causes[0].text),
            (3, "oops in f (a.c:9): address 1")
        );
        assert!(common_causes(&[seen(1), seen(2)]).is_empty());
    }

    #[test]
    fn label_that_is_right_or_absent_is_no_other_spelling() {
        let of = |seen: &str| other_spelling("the line `current time: N`", seen);
        assert_eq!(of("current time: 7"), None);
        assert_eq!(of("time: 7"), None);
        let found = of("current_time: 7").map(|(theirs, _)| theirs);
        assert_eq!(found.as_deref(), Some("current_time:"));
        assert_eq!(of("Ümlaut CURRENTTIME:1").unwrap().0, "CURRENTTIME:");
    }
}
