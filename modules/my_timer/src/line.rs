// SPDX-License-Identifier: GPL-2.0-only

//! The text of one reading.

use core::fmt::{self, Write};
use kernel::prelude::*;
use kernel::str::ArrayString;
use kernel::time::{Delta, Instant, RealTime, NSEC_PER_SEC};

/// The length that both lines never reach, even with the largest numbers.
const MAX_LINES_LEN: usize = 96;

#[derive(Clone, Copy)]
pub(crate) struct Lines(ArrayString<MAX_LINES_LEN>);

/// A number of nanoseconds that prints as seconds with nine decimals.
///
/// The sign is printed in front of the whole number. Seconds and nanoseconds with signs of their
/// own would be wrong between -1 and 0.
struct Seconds(i64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        let second = NSEC_PER_SEC.unsigned_abs();
        write!(f, "{sign}{}.{:09}", nanos / second, nanos % second)
    }
}

impl Lines {
    pub(crate) fn new(now: Instant<RealTime>, elapsed: Option<Delta>) -> Result<Self> {
        let mut lines = ArrayString::new();
        writeln!(lines, "current time: {}", Seconds(now.as_nanos()))?;
        if let Some(elapsed) = elapsed {
            writeln!(lines, "elapsed time: {}", Seconds(elapsed.as_nanos()))?;
        }
        Ok(Self(lines))
    }
}

impl AsRef<[u8]> for Lines {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
