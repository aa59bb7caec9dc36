// SPDX-License-Identifier: MIT OR Apache-2.0

//! Divides the tests that a run of Koru's own tests may leave out.

use std::{env, fmt, str::FromStr};

use koru_error::{Error, Kind, Result};
use koru_kernels::Key;

/// The number of parts.
const PARTS: usize = 5;

/// Which of the tests run that another run may run instead: those that take long, and the guest
/// tests on all kernels but one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    #[default]
    All,
    One(usize),
}

/// The environment variable that chooses a part.
const VARIABLE: &str = "KORU_TEST_PART";

impl Part {
    /// Returns what the environment chooses: all tests, if it does not say.
    pub fn from_environment() -> Result<Part> {
        match env::var(VARIABLE) {
            Ok(text) if !text.is_empty() => text
                .parse()
                .map_err(|why: String| Error::new(Kind::Usage, format!("reading {VARIABLE}"), why)),
            _ => Ok(Part::All),
        }
    }

    /// Returns whether a test belongs to this part.
    pub fn has(self, test: &str) -> bool {
        match self {
            Part::All => true,
            Part::One(part) => choice(test, PARTS) == part,
        }
    }
}

/// Returns which one of so many a text chooses, such as a commit's hash. It is the same in every
/// run.
pub fn choice(text: &str, of: usize) -> usize {
    let hex = Key::default().with(text).hex();
    let digits = hex.get(..7).unwrap_or_default();
    usize::from_str_radix(digits, 16).unwrap_or_default() % of
}

impl FromStr for Part {
    type Err = String;

    /// Parses `all`, or any text (a commit's hash, for example), which stands for one part.
    fn from_str(text: &str) -> std::result::Result<Part, String> {
        match text {
            "" => Err("it is `all`, or a text that chooses one part".into()),
            "all" => Ok(Part::All),
            text => Ok(Part::One(choice(text, PARTS))),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::All => f.write_str("all tests"),
            Part::One(part) => write!(f, "part {} of {PARTS}", part + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_is_in_one_part() {
        let parts = [0, 1, 2, 3, 4].map(Part::One);
        let mut sizes = [0; 5];
        for n in 0..300 {
            let test = format!("file::test_{n}");
            let of: Vec<usize> = (0..5).filter(|p| parts[*p].has(&test)).collect();
            assert_eq!(of.len(), 1, "{test}");
            sizes[of[0]] += 1;
            assert!(Part::All.has(&test));
        }
        assert!(sizes.iter().all(|size| *size > 30), "{sizes:?}");
    }

    #[test]
    fn a_commit_chooses_a_part() {
        let part = |text: &str| text.parse::<Part>();
        assert_eq!(part("all"), Ok(Part::All));
        assert!(part("").is_err());
        let of = |n: u32| part(&format!("{n:040x}")).unwrap().to_string();
        let chosen: std::collections::BTreeSet<String> = (0..20).map(of).collect();
        let every = [1, 2, 3, 4, 5].map(|n| format!("part {n} of 5"));
        assert!(chosen.iter().eq(&every), "{chosen:?}");
    }
}
