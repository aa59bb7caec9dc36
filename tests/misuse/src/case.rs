// SPDX-License-Identifier: MIT OR Apache-2.0

//! Parses the errors that a file announces, and compares them with rustc's.

use std::{fs, path::Path};

use crate::Diagnostic;

/// A file's announcements.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// Whether code is generated, for errors that come only when a function is used.
    pub codegen: bool,
    /// The functions from which `build_error!` must be reached.
    pub build_errors: Vec<String>,
    pub expected: Vec<Expected>,
}

/// One announced error.
#[derive(Debug, PartialEq, Eq)]
pub struct Expected {
    /// The line, counted from 1, or 0 for an error that has no place in the file.
    pub line: usize,
    /// The code, such as `E0308`, or the name of a lint; `None` for errors without a code.
    pub code: Option<String>,
    /// A text that the message must contain.
    pub phrase: Option<String>,
}

impl Case {
    pub fn read(path: &Path) -> Result<Case, String> {
        let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        Case::parse(&text)
    }

    pub fn parse(text: &str) -> Result<Case, String> {
        let mut case = Case::default();
        for (number, line) in (1..).zip(text.lines()) {
            if let Some((_, directive)) = line.split_once("//@ ") {
                match directive.trim().split_once(": ") {
                    None if directive.trim() == "codegen" => case.codegen = true,
                    Some(("build-error", function)) => {
                        case.codegen = true;
                        case.build_errors.push(function.to_owned());
                    }
                    _ => return Err(format!("line {number}: unknown directive `{directive}`")),
                }
            }
            if let Some((_, announced)) = line.split_once("//~") {
                let (line, announced) = match announced.strip_prefix('?') {
                    Some(rest) => (0, rest),
                    None => {
                        let up = announced.chars().take_while(|c| *c == '^').count();
                        (number - up, &announced[up..])
                    }
                };
                case.expected.push(Expected::parse(line, announced.trim())?);
            }
        }
        if !text.contains("(misuse") {
            return Err("no line depends on `misuse`, so it has no twin".into());
        }
        if !text.contains("#![forbid(unsafe_code)]") {
            return Err("it does not forbid unsafe code, as modules do".into());
        }
        if case.expected.is_empty() && case.build_errors.is_empty() {
            return Err("it announces no error".into());
        }
        Ok(case)
    }

    /// Compares the announced errors with those that came. The error lists all differences.
    pub fn compare(&self, errors: &[Diagnostic], build_errors: &[String]) -> Result<(), String> {
        let mut wrong = Vec::new();
        for expected in &self.expected {
            if !errors.iter().any(|e| expected.is(e)) {
                wrong.push(format!(
                    "line {}: expected {}",
                    expected.line,
                    expected.describe()
                ));
            }
        }
        for error in errors {
            if !self.expected.iter().any(|e| e.is(error)) {
                wrong.push(format!("not announced:\n{}", error.rendered));
            }
        }
        for function in &self.build_errors {
            if !build_errors.iter().any(|f| f.contains(function.as_str())) {
                wrong.push(format!("`{function}` reaches no `build_error!`"));
            }
        }
        for function in build_errors {
            if !self
                .build_errors
                .iter()
                .any(|f| function.contains(f.as_str()))
            {
                wrong.push(format!("`build_error!` is reached in `{function}`"));
            }
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(wrong.join("\n")),
        }
    }
}

impl Expected {
    /// Parses `CODE`, `"PHRASE"`, or both.
    fn parse(line: usize, text: &str) -> Result<Expected, String> {
        let (code, rest) = match text.find('"') {
            Some(at) => (text[..at].trim(), Some(&text[at + 1..])),
            None => (text, None),
        };
        let phrase = match rest {
            None => None,
            Some(rest) => match rest.strip_suffix('"') {
                Some(phrase) if !phrase.is_empty() => Some(phrase.to_owned()),
                _ => return Err(format!("line {line}: the phrase does not end")),
            },
        };
        let code = Some(code.to_owned()).filter(|code| !code.is_empty());
        if code.as_ref().is_some_and(|code| code.contains(' '))
            || (code.is_none() && phrase.is_none())
        {
            return Err(format!(
                "line {line}: `{text}` is neither a code nor a \"phrase\""
            ));
        }
        Ok(Expected { line, code, phrase })
    }

    fn is(&self, error: &Diagnostic) -> bool {
        let here = match self.line {
            0 => error.lines.is_empty(),
            line => error.lines.contains(&line),
        };
        here && self.code == error.code
            && self
                .phrase
                .as_ref()
                .is_none_or(|p| error.message.contains(p.as_str()))
    }

    fn describe(&self) -> String {
        let code = self.code.as_deref().unwrap_or("an error without a code");
        match &self.phrase {
            Some(phrase) => format!("{code}, with \"{phrase}\""),
            None => code.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "#![forbid(unsafe_code)]\n#[cfg(misuse)]\n";

    fn error(line: usize, code: Option<&str>, message: &str) -> Diagnostic {
        Diagnostic {
            code: code.map(str::to_owned),
            message: message.into(),
            lines: vec![line],
            rendered: message.into(),
        }
    }

    #[test]
    fn announcements() {
        let text = format!("{HEAD}let a: u8 = b; //~ E0308\nx(\n  y); //~^ \"no rules\"\n");
        let case = Case::parse(&text).expect("a case");
        let found: Vec<_> = case
            .expected
            .iter()
            .map(|e| (e.line, e.code.as_deref(), e.phrase.as_deref()))
            .collect();
        assert_eq!(
            found,
            [(3, Some("E0308"), None), (4, None, Some("no rules"))]
        );
    }

    #[test]
    fn what_no_file_may_be() {
        for text in [
            "",
            HEAD,
            "#[cfg(misuse)]\nx; //~ E0308\n",
            "#![forbid(unsafe_code)]\nx; //~ E0308\n",
        ] {
            assert!(Case::parse(text).is_err(), "{text}");
        }
        for line in ["//~", "//~ \"open", "//~ two words", "//@ nothing"] {
            assert!(
                Case::parse(&format!("{HEAD}x; //~ E0001\n{line}\n")).is_err(),
                "{line}"
            );
        }
    }

    #[test]
    fn kind_and_place_must_fit() {
        let case = Case::parse(&format!("{HEAD}x; //~ E0308 \"mismatched\"\n")).expect("a case");
        let of = |errors: &[Diagnostic]| case.compare(errors, &[]).is_ok();
        let right = || error(3, Some("E0308"), "mismatched types");
        assert!(of(&[right()]));
        assert!(of(&[right(), right()]));
        assert!(!of(&[]));
        assert!(!of(&[error(4, Some("E0308"), "mismatched types")]));
        assert!(!of(&[error(3, Some("E0277"), "mismatched types")]));
        assert!(!of(&[error(3, Some("E0308"), "other")]));
        assert!(!of(&[error(3, None, "mismatched types")]));
        assert!(!of(&[right(), error(1, None, "another")]));
    }

    #[test]
    fn errors_without_a_place() {
        let case = Case::parse(&format!("{HEAD}x; //~? E0080\n")).expect("a case");
        let here = error(3, Some("E0080"), "evaluation panicked");
        assert!(case.compare(&[here], &[]).is_err());
        let mut elsewhere = error(3, Some("E0080"), "evaluation panicked");
        elsewhere.lines.clear();
        assert!(case.compare(&[elsewhere], &[]).is_ok());
    }

    #[test]
    fn build_errors_are_of_the_function_that_is_named() {
        let case = Case::parse(&format!("{HEAD}//@ build-error: wrong\n")).expect("a case");
        assert!(case.codegen);
        let of = |functions: &[&str]| {
            let functions: Vec<_> = functions.iter().map(|f| (*f).to_owned()).collect();
            case.compare(&[], &functions).is_ok()
        };
        assert!(of(&["case::wrong"]));
        assert!(!of(&[]));
        assert!(!of(&["case::other"]));
        assert!(!of(&["case::wrong", "case::other"]));
    }
}
