// SPDX-License-Identifier: MIT OR Apache-2.0

//! Tests in `tests/` the host's code with what a guest, or a file of somebody else's, may contain:
//! it must not panic, wait for ever, or take more and more memory.
//!
//! Each property is tried for a second or two. `KORU_FUZZ_SECONDS=600` tries each for ten minutes.
#![forbid(unsafe_code)]

use std::{
    env,
    time::{Duration, Instant},
};

/// Calls a check with one case after the other, for as long as is wanted.
pub fn for_a_while(mut check: impl FnMut()) {
    let seconds = env::var("KORU_FUZZ_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(1);
    let begun = Instant::now();
    loop {
        check();
        if begun.elapsed() > Duration::from_secs(seconds) {
            return;
        }
    }
}
