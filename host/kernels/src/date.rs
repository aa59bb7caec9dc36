// SPDX-License-Identifier: MIT OR Apache-2.0

//! Today's date, for what can change from day to day.

/// Returns today's date in UTC, such as `2026-03-31`.
pub fn today() -> String {
    chrono::Utc::now().date_naive().to_string()
}
