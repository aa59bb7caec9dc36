// SPDX-License-Identifier: GPL-2.0-only

//! Modes: the clock of a timer, what its times mean, and in which context its callback runs.

use crate::bindings;
use crate::time::{ClockSource, Delta, Instant};
use core::marker::PhantomData;

/// A time at which a timer can expire: an [`Instant`] or a [`Delta`].
///
/// # Examples
///
/// ```
/// use kernel::time::{hrtimer::HrTimerExpires, Delta};
/// let nanos = HrTimerExpires::as_nanos(&Delta::from_micros(5));
/// # let _ = nanos;
/// ```
pub trait HrTimerExpires {
    /// Returns the time in nanoseconds.
    fn as_nanos(&self) -> i64;
}

impl<C: ClockSource> HrTimerExpires for Instant<C> {
    #[inline]
    fn as_nanos(&self) -> i64 {
        Instant::as_nanos(self)
    }
}

impl HrTimerExpires for Delta {
    #[inline]
    fn as_nanos(&self) -> i64 {
        Delta::as_nanos(*self)
    }
}

mod sealed {
    pub trait Sealed {}
}

/// The mode of a timer, such as [`RelativeMode`].
///
/// # Examples
///
/// ```
/// use kernel::time::{hrtimer::{HrTimerMode, RelativeMode}, Delta, Monotonic};
/// fn takes_a_duration<M: HrTimerMode<Expires = Delta>>() {}
/// takes_a_duration::<RelativeMode<Monotonic>>();
/// ```
#[doc(alias = "hrtimer_mode")]
pub trait HrTimerMode: sealed::Sealed {
    /// The `enum hrtimer_mode` of C.
    const C_MODE: u32;
    /// The clock by which the timer expires.
    type Clock: ClockSource;
    /// What a timer of this mode is started with.
    type Expires: HrTimerExpires;
}

/// The bits of `enum hrtimer_mode`.
pub(super) const RELATIVE: u32 = bindings::HRTIMER_MODE_REL;
const ABSOLUTE: u32 = bindings::HRTIMER_MODE_ABS;
const PINNED: u32 = bindings::HRTIMER_MODE_PINNED;
const SOFT: u32 = bindings::HRTIMER_MODE_SOFT;
pub(super) const HARD: u32 = bindings::HRTIMER_MODE_HARD;

macro_rules! modes {
    ($($name:ident = $bits:expr, $expires:ty, $what:literal;)*) => {$(
        #[doc = concat!("Timers that expire ", $what, ".")]
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use kernel::time::{hrtimer::{HrTimerMode, ", stringify!($name), "}, Monotonic};")]
        #[doc = concat!("let mode = ", stringify!($name), "::<Monotonic>::C_MODE;")]
        /// # let _ = mode;
        /// ```
        pub struct $name<C: ClockSource>(PhantomData<C>);

        impl<C: ClockSource> sealed::Sealed for $name<C> {}

        impl<C: ClockSource> HrTimerMode for $name<C> {
            const C_MODE: u32 = $bits;
            type Clock = C;
            type Expires = $expires;
        }
    )*};
}

modes! {
    AbsoluteMode = ABSOLUTE, Instant<C>, "at a time";
    RelativeMode = RELATIVE, Delta, "after a duration";
    AbsolutePinnedMode = PINNED, Instant<C>, "at a time, on the CPU that started them";
    RelativePinnedMode = RELATIVE | PINNED, Delta, "after a duration, on the CPU that started them";
    AbsoluteSoftMode = SOFT, Instant<C>, "at a time; the callback runs in a soft interrupt";
    RelativeSoftMode = RELATIVE | SOFT, Delta,
        "after a duration; the callback runs in a soft interrupt";
    AbsolutePinnedSoftMode = PINNED | SOFT, Instant<C>,
        "at a time, on the CPU that started them; the callback runs in a soft interrupt";
    RelativePinnedSoftMode = RELATIVE | PINNED | SOFT, Delta,
        "after a duration, on the CPU that started them; the callback runs in a soft interrupt";
    AbsoluteHardMode = HARD, Instant<C>,
        "at a time; the callback runs in an interrupt, also with PREEMPT_RT";
    RelativeHardMode = RELATIVE | HARD, Delta,
        "after a duration; the callback runs in an interrupt, also with PREEMPT_RT";
    AbsolutePinnedHardMode = PINNED | HARD, Instant<C>,
        "at a time, on the CPU that started them; the callback runs in an interrupt, also with \
         PREEMPT_RT";
    RelativePinnedHardMode = RELATIVE | PINNED | HARD, Delta,
        "after a duration, on the CPU that started them; the callback runs in an interrupt, also \
         with PREEMPT_RT";
}
