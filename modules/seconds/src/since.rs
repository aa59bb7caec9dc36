// SPDX-License-Identifier: GPL-2.0-only

//! The conversion of ticks to seconds.

/// Returns the whole seconds from tick `start` to tick `now`, at `hz` ticks a second.
///
/// The count may have wrapped in between: the difference of two numbers that wrap is right if it
/// wraps as well. (`now < start` says nothing then.)
pub(crate) const fn whole_seconds(start: u64, now: u64, hz: u64) -> u64 {
    now.wrapping_sub(start) / hz
}
