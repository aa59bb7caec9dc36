// SPDX-License-Identifier: MIT OR Apache-2.0

//! The values that a contract computes with: exact decimal numbers, and texts.

use std::{cmp::Ordering, collections::BTreeMap, fmt};

/// A number with nine decimals, so that times in nanoseconds are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(i128);

const ONE: i128 = 1_000_000_000;

impl Number {
    pub fn whole(n: impl Into<i128>) -> Number {
        Number(n.into() * ONE)
    }

    /// Returns a time in seconds.
    pub fn from_nanoseconds(ns: u64) -> Number {
        Number(i128::from(ns))
    }

    /// Parses a decimal number. What follows the ninth decimal is cut off.
    pub fn parse(text: &str) -> Option<Number> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 25 || !all_digits(whole) || !all_digits(part) {
            return None;
        }
        let part: String = part.chars().chain("000000000".chars()).take(9).collect();
        let value = whole.parse::<i128>().ok()? * ONE + part.parse::<i128>().ok()?;
        Some(Number(if negative { -value } else { value }))
    }

    pub fn checked(self, operator: char, other: Number) -> Result<Number, String> {
        let (a, b) = (self.0, other.0);
        let result = match operator {
            '+' => a.checked_add(b),
            '-' => a.checked_sub(b),
            '*' => a.checked_mul(b).map(|n| n / ONE),
            '/' | '%' if b == 0 => return Err("a division by 0".to_owned()),
            '/' => a.checked_mul(ONE).map(|n| n / b),
            _ => Some(a % b),
        };
        let result = result.ok_or_else(|| "a number that is too large".to_owned())?;
        Ok(Number(result))
    }

    pub fn abs(self) -> Number {
        Number(self.0.abs())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.abs() / ONE, self.0.abs() % ONE);
        write!(f, "{sign}{whole}")?;
        if part != 0 {
            let part = format!("{part:09}");
            write!(f, ".{}", part.trim_end_matches('0'))?;
        }
        Ok(())
    }
}

/// A value that a step has led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Number(Number),
    Text(String),
}

/// The values that steps have led to, by their names.
pub type Variables = BTreeMap<String, Value>;

impl Value {
    /// Returns the value of what a regular expression captured.
    pub fn captured(text: &str) -> Value {
        match Number::parse(text) {
            Some(number) => Value::Number(number),
            None => Value::Text(text.to_owned()),
        }
    }

    pub fn compare(&self, other: &Value) -> Result<Ordering, String> {
        match (self, other) {
            (Value::Number(a), Value::Number(b)) => Ok(a.cmp(b)),
            (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
            (Value::Number(n), Value::Text(t)) | (Value::Text(t), Value::Number(n)) => {
                Err(format!("`{t}` is no number, as {n} is"))
            }
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => number.fmt(f),
            Value::Text(text) => write!(f, "`{text}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_of_today_are_exact() {
        let now = Number::parse("1764201600.123456789").unwrap();
        let then = Number::parse("1764201600.123456788").unwrap();
        let difference = now.checked('-', then).unwrap();
        assert_eq!(difference.to_string(), "0.000000001");
        assert_eq!(Number::parse("-0.5").unwrap().to_string(), "-0.5");
        assert_eq!(Number::whole(-7).to_string(), "-7");
    }

    #[test]
    fn what_is_no_number() {
        for wrong in ["", "-", ".5", "1e3", "0x1", "1.2.3", "1 "] {
            assert_eq!(Number::parse(wrong), None, "{wrong}");
        }
        assert!(Number::whole(1).checked('/', Number::whole(0)).is_err());
        let large = Number::whole(i64::MAX);
        assert!(large.checked('*', large).is_err());
    }
}
