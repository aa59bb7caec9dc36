// SPDX-License-Identifier: MIT OR Apache-2.0

//! The time after which silence counts as a hang.

use std::time::Duration;

/// Returns how long a guest may be silent, and how long a module may keep the processor busy
/// in its init, before that counts as a hang.
pub fn hang_limit() -> Duration {
    const DEFAULT: Duration = Duration::from_secs(10);
    std::env::var("KORU_HANG_SECS")
        .ok()
        .and_then(|s| s.parse().ok())
        .filter(|s| *s > 0.0 && *s < 1e6)
        .map_or(DEFAULT, Duration::from_secs_f64)
}
