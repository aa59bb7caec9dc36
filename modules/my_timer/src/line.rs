// SPDX-License-Identifier: GPL-2.0-only

//! The text of one reading.

use kernel::prelude::*;
use kernel::str::ArrayString;
use kernel::time::{Delta, Instant, RealTime, NSEC_PER_SEC};

/// The length that both lines never reach, even with the largest numbers.
const MAX_LINES_LEN: usize = 96;

#[derive(Clone, Copy)]
pub(crate) struct Lines(ArrayString<MAX_LINES_LEN>);

/// A number of nanoseconds that is written as seconds with nine decimals.
///
/// The sign is in front of the whole number. Seconds and nanoseconds with signs of their
/// own would be wrong between -1 and 0.
struct Seconds(i64);

impl Seconds {
    fn push_to(&self, lines: &mut ArrayString<MAX_LINES_LEN>) -> Result {
        let nanos = self.0.unsigned_abs();
        let second = NSEC_PER_SEC.unsigned_abs();
        lines.push_str(if self.0 < 0 { "-" } else { "" })?;
        lines.push_decimal(nanos / second)?;
        lines.push_str(".")?;
        lines.push_digits::<9>(nanos % second)?;
        lines.push_str("\n")?;
        Ok(())
    }
}

impl Lines {
    pub(crate) fn new(now: Instant<RealTime>, elapsed: Option<Delta>) -> Result<Self> {
        let mut lines = ArrayString::new();
        lines.push_str("current time: ")?;
        Seconds(now.as_nanos()).push_to(&mut lines)?;
        if let Some(elapsed) = elapsed {
            lines.push_str("elapsed time: ")?;
            Seconds(elapsed.as_nanos()).push_to(&mut lines)?;
        }
        Ok(Self(lines))
    }
}

impl AsRef<[u8]> for Lines {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
