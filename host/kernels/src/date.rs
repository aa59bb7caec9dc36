// SPDX-License-Identifier: MIT OR Apache-2.0

//! Dates of UTC, such as `2026-03-31`.

use std::time::SystemTime;

use chrono::{DateTime, Utc};

/// Returns today's date, for what can change from day to day.
pub fn today() -> String {
    date_of(SystemTime::now())
}

/// Returns the date of a point in time.
pub fn date_of(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).date_naive().to_string()
}
