// SPDX-License-Identifier: MIT OR Apache-2.0

//! The verdicts on promises, and the points for them.

/// The verdict on a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Fail,
    /// The kernel oopsed, panicked or hung.
    Crash,
    /// It could not be found out in the bounds of a check, and counts neither way.
    Undecided,
    /// A promise that it needs was not kept, or there was nothing to try.
    NotTried,
}

impl Verdict {
    /// Returns the word for programs.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Crash => "crash",
            Verdict::Undecided => "undecided",
            Verdict::NotTried => "not-tried",
        }
    }

    /// Returns the word for a table.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "FAIL",
            Verdict::Crash => "CRASH",
            Verdict::Undecided => "?",
            Verdict::NotTried => "-",
        }
    }
}

/// The points of a module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    pub points: f64,
    pub of: f64,
}

/// Returns the sum of points: each item is what was earned, and what could be.
pub fn score(items: impl IntoIterator<Item = (f64, f64)>) -> Score {
    let add = |sum: Score, (points, of): (f64, f64)| Score {
        points: sum.points + points,
        of: sum.of + of,
    };
    let zero = Score {
        points: 0.0,
        of: 0.0,
    };
    items.into_iter().fold(zero, add)
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let round = |points: f64| (points * 100.0).round() / 100.0;
        write!(f, "{} of {} points", round(self.points), round(self.of))
    }
}
