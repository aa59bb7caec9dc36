// SPDX-License-Identifier: GPL-2.0-only

//! The text of one reading.

use core::fmt::{self, Write};
use kernel::prelude::*;
use kernel::time::{Delta, Instant, RealTime, NSEC_PER_SEC};

/// Room for both lines with the largest numbers.
const ROOM: usize = 96;

#[derive(Clone, Copy)]
pub(crate) struct Lines {
    text: [u8; ROOM],
    len: usize,
}

/// Seconds and nine digits. The sign stands before the whole, which seconds and
/// nanoseconds with signs of their own get wrong between -1 and 0.
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
        let mut lines = Self {
            text: [0; ROOM],
            len: 0,
        };
        writeln!(lines, "current time: {}", Seconds(now.as_nanos()))?;
        if let Some(elapsed) = elapsed {
            writeln!(lines, "elapsed time: {}", Seconds(elapsed.as_nanos()))?;
        }
        Ok(lines)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or_default()
    }
}

impl Write for Lines {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let end = self.len + s.len();
        let room = self.text.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(s.as_bytes());
        self.len = end;
        Ok(())
    }
}
