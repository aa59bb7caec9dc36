// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a step promises, and whether the raw result of a call keeps it.

use std::fmt::Write;

use regex::bytes::Regex;

use crate::{
    expression::{Comparison, Expression},
    layout::Layout,
    value::{Number, Value, Variables},
};

/// What a call led to, as the guest reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// What the call returned, or its error number.
    pub result: Result<i64, i32>,
    /// When the call began and ended, by the guest's monotonic clock, in nanoseconds.
    pub begin_ns: u64,
    pub end_ns: u64,
    /// The bytes that were read, or the argument of an ioctl afterwards.
    pub bytes: Vec<u8>,
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub promised: String,
    pub seen: String,
}

/// What a step promises. Without an error, the call has to succeed.
#[derive(Debug, Clone, Default)]
pub struct Expectation {
    /// The errors of which one has to come, by name and number.
    pub errors: Vec<(String, i32)>,
    pub returns: Option<i64>,
    pub bytes: Option<Vec<u8>>,
    pub matches: Option<Regex>,
    pub lacks: Option<Regex>,
    pub layout: Option<Layout>,
    /// Values to remember, computed in this order.
    pub values: Vec<(String, Expression)>,
    pub checks: Vec<Comparison>,
}

/// The names of the values that every call has.
pub const OF_EVERY_CALL: [&str; 3] = ["result", "clock", "took"];

impl Expectation {
    /// Returns the names of the values that a later step can use.
    pub fn names(&self) -> Vec<String> {
        let captures = self.matches.iter().flat_map(Regex::capture_names);
        let captures = captures.flatten().map(str::to_owned);
        let layout = self.layout.iter().flat_map(Layout::names);
        let values = self.values.iter().map(|(name, _)| name.clone());
        captures
            .chain(layout.map(str::to_owned))
            .chain(values)
            .collect()
    }

    /// Compares what was promised with what came, and remembers values.
    pub fn judge(&self, raw: &Raw, variables: &mut Variables) -> Result<(), Broken> {
        let seen = || outcome(raw);
        let broken = |promised: String, seen: String| Err(Broken { promised, seen });
        let result = match (&raw.result, &self.errors[..]) {
            (Ok(result), []) => *result,
            (Err(_), []) => return broken("success".into(), seen()),
            (Err(errno), errors) if errors.iter().any(|(_, e)| e == errno) => -i64::from(*errno),
            (_, errors) => {
                let names: Vec<&str> = errors.iter().map(|(name, _)| name.as_str()).collect();
                return broken(format!("the error {}", names.join(" or ")), seen());
            }
        };
        if let Some(wanted) = self.returns.filter(|wanted| *wanted != result) {
            return broken(format!("the result {wanted}"), seen());
        }
        if let Some(bytes) = self.bytes.as_ref().filter(|bytes| **bytes != raw.bytes) {
            return broken(shown(bytes), shown(&raw.bytes));
        }
        if let Some(regex) = &self.matches {
            let Some(found) = regex.captures(&raw.bytes) else {
                let promised = format!("a text that matches `{regex}`");
                return broken(promised, shown(&raw.bytes));
            };
            for name in regex.capture_names().flatten() {
                if let Some(part) = found.name(name) {
                    let text = String::from_utf8_lossy(part.as_bytes());
                    variables.insert(name.to_owned(), Value::captured(&text));
                }
            }
        }
        if let Some(regex) = self.lacks.as_ref().filter(|r| r.is_match(&raw.bytes)) {
            let promised = format!("a text in which nothing matches `{regex}`");
            return broken(promised, shown(&raw.bytes));
        }
        if let Some(layout) = &self.layout {
            let Some(values) = layout.values(&raw.bytes) else {
                let promised = format!("at least {} bytes", layout.size());
                return broken(promised, seen());
            };
            variables.extend(values);
        }
        let number = |ns: u64| Value::Number(Number::from_nanoseconds(ns));
        let took = raw.end_ns.saturating_sub(raw.begin_ns);
        variables.insert("result".into(), Value::Number(Number::whole(result)));
        variables.insert("clock".into(), number(raw.end_ns));
        variables.insert("took".into(), number(took));
        for (name, expression) in &self.values {
            match expression.value(variables) {
                Ok(value) => _ = variables.insert(name.clone(), value),
                Err(why) => return broken(format!("a value for `{name}`"), why),
            }
        }
        for check in &self.checks {
            match check.holds(variables) {
                Ok((true, _)) => {}
                Ok((false, compared)) => return broken(check.text.clone(), compared),
                Err(why) => return broken(check.text.clone(), why),
            }
        }
        Ok(())
    }
}

/// Returns what a call led to, in words.
fn outcome(raw: &Raw) -> String {
    match raw.result {
        Ok(result) if raw.bytes.is_empty() => format!("success ({result})"),
        Ok(result) => format!("success ({result}): {}", shown(&raw.bytes)),
        Err(errno) => error_words(errno),
    }
}

/// Returns an error's words and name, as in `No such file or directory (ENOENT)`.
pub fn error_words(errno: i32) -> String {
    let words = koru_error::errno_text(errno);
    let words = words.split(" (errno").next().unwrap_or_default();
    match koru_error::errno_name(errno) {
        Some(name) => format!("{words} ({name})"),
        None => format!("error {errno}"),
    }
}

/// Returns bytes as a text in quotes, cut if there are many.
pub fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 200;
    if bytes.is_empty() {
        return "nothing".to_owned();
    }
    let mut text = format!("\"{}\"", bytes[..bytes.len().min(MOST)].escape_ascii());
    if bytes.len() > MOST {
        _ = write!(text, " and {} bytes more", bytes.len() - MOST);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(result: Result<i64, i32>, bytes: &[u8]) -> Raw {
        Raw {
            result,
            begin_ns: 1_000_000_000,
            end_ns: 1_500_000_000,
            bytes: bytes.into(),
        }
    }

    fn seen(expectation: &Expectation, raw: &Raw) -> Option<(String, String)> {
        let broken = expectation.judge(raw, &mut Variables::new()).err()?;
        Some((broken.promised, broken.seen))
    }

    #[test]
    fn errors_are_compared_by_name() {
        let mut wanted = Expectation::default();
        let of = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(seen(&wanted, &raw(Ok(3), b"")), None);
        let gone = "No such file or directory (ENOENT)";
        assert_eq!(seen(&wanted, &raw(Err(2), b"")), of("success", gone));
        wanted.errors = vec![("EINVAL".into(), 22), ("EIO".into(), 5)];
        assert_eq!(seen(&wanted, &raw(Err(5), b"")), None);
        assert_eq!(
            seen(&wanted, &raw(Ok(4), b"")),
            of("the error EINVAL or EIO", "success (4)")
        );
    }

    #[test]
    fn captures_are_values_for_checks() {
        let mut wanted = Expectation {
            matches: Regex::new("^time: (?<now>[0-9.]+)\n$").ok(),
            checks: vec![Comparison::parse("now - took == 7").unwrap()],
            ..Expectation::default()
        };
        assert_eq!(seen(&wanted, &raw(Ok(10), b"time: 7.5\n")), None);
        let (promised, found) = seen(&wanted, &raw(Ok(10), b"time: 8\n")).unwrap();
        assert_eq!(promised, "now - took == 7");
        assert_eq!(found, "now is 8, took is 0.5");
        let (_, found) = seen(&wanted, &raw(Ok(3), b"\xffx")).unwrap();
        assert_eq!(found, "\"\\xffx\"");
        wanted.layout = Layout::parse("a:i64 b:i64").ok();
        let found = seen(&wanted, &raw(Ok(10), b"time: 7.5\n"));
        assert_eq!(found.unwrap().0, "at least 16 bytes");
    }
}
