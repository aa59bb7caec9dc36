// SPDX-License-Identifier: MIT OR Apache-2.0

//! Compares the arithmetic of `seconds` with numbers that never wrap.

#[path = "../../../modules/seconds/src/since.rs"]
mod since;

use proptest::prelude::*;

use since::whole_seconds;

proptest! {
    #[test]
    fn across_a_wrap(
        start in prop_oneof![any::<u64>(), u64::MAX - 100_000..=u64::MAX],
        ticks in prop_oneof![any::<u64>(), 0..1_000_000u64],
        hz in prop::sample::select(vec![100, 250, 300, 1000]),
    ) {
        let wanted = u128::from(ticks) / u128::from(hz);
        let now = start.wrapping_add(ticks);
        prop_assert_eq!(u128::from(whole_seconds(start, now, hz)), wanted);
    }
}
