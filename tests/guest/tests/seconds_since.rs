// SPDX-License-Identifier: MIT OR Apache-2.0

//! The arithmetic of `seconds`, without the kernel. (`cargo test` brings it into
//! a guest with the others, where it does no harm.)

koru_testing::test_file!(one_cpu);

#[path = "../../../modules/seconds/src/since.rs"]
mod since;

use since::whole_seconds;

/// Where the kernel starts to count: five minutes before 2^32.
const fn initial(hz: u64) -> u64 {
    (1 << 32) - 300 * hz
}

#[test]
fn seconds_are_rounded_down() {
    for hz in [100, 250, 300, 1000] {
        for (ticks, seconds) in [(0, 0), (hz - 1, 0), (hz, 1), (2 * hz - 1, 1), (90 * hz, 90)] {
            // Wherever it starts, not only at a multiple of HZ.
            for start in [0, 1, hz - 1, 12345, initial(hz), initial(hz) + 1] {
                assert_eq!(whole_seconds(start, start + ticks, hz), seconds);
            }
        }
    }
}

#[test]
fn five_minutes_after_boot() {
    for hz in [100, 250, 300, 1000] {
        let start = initial(hz) + 17;
        for seconds in 295..305 {
            assert_eq!(whole_seconds(start, start + seconds * hz, hz), seconds);
        }
    }
}

#[test]
fn the_last_wrap() {
    let start = u64::MAX - 10;
    assert_eq!(whole_seconds(start, start.wrapping_add(249), 250), 0);
    assert_eq!(whole_seconds(start, start.wrapping_add(250), 250), 1);
    assert_eq!(whole_seconds(start, start - 1, 250), u64::MAX / 250);
}
