// SPDX-License-Identifier: GPL-2.0-only

//! Time: clocks, durations, and the timer's ticks.
//!
//! C headers: `include/linux/ktime.h`, `include/linux/jiffies.h`
//!
//! Reference: <https://docs.kernel.org/core-api/timekeeping.html>

pub mod delay;
pub mod hrtimer;

use crate::ffi::{c_uint, c_ulong};
use crate::{bindings, layout};
use core::marker::PhantomData;
use core::ops::{Add, Neg, Sub};

/// The number of nanoseconds in a microsecond.
pub const NSEC_PER_USEC: i64 = 1_000;
/// The number of nanoseconds in a millisecond.
pub const NSEC_PER_MSEC: i64 = 1_000_000;
/// The number of nanoseconds in a second.
pub const NSEC_PER_SEC: i64 = 1_000_000_000;

/// The number of ticks in a second: `CONFIG_HZ`.
pub const HZ: c_ulong = layout::HZ;

/// A number of ticks: C's `jiffies`.
pub type Jiffies = c_ulong;

/// A number of milliseconds.
pub type Msecs = c_uint;

/// Converts milliseconds to ticks, rounded up.
///
/// Context: any.
///
/// # Examples
///
/// ```
/// let ticks = kernel::time::msecs_to_jiffies(1500);
/// # let _ = ticks;
/// ```
pub fn msecs_to_jiffies(msecs: Msecs) -> Jiffies {
    // SAFETY: the function takes any number, and accesses no memory.
    unsafe { bindings::koru_msecs_to_jiffies(msecs) }
}

/// Converts ticks to milliseconds.
///
/// Context: any.
///
/// # Examples
///
/// ```
/// let ms = kernel::time::jiffies_to_msecs(kernel::time::HZ);
/// # let _ = ms;
/// ```
pub fn jiffies_to_msecs(ticks: Jiffies) -> Msecs {
    // SAFETY: the function takes any number, and accesses no memory.
    unsafe { bindings::koru_jiffies_to_msecs(ticks) }
}

/// Returns the current number of ticks.
///
/// The number starts shortly before 2^32, so that wrong 32-bit arithmetic fails early: subtract
/// with `wrapping_sub`.
///
/// Context: any.
///
/// # Examples
///
/// ```
/// let start = kernel::time::jiffies();
/// let passed = kernel::time::jiffies().wrapping_sub(start);
/// # let _ = passed;
/// ```
pub fn jiffies() -> Jiffies {
    // SAFETY: the function takes no argument, and reads a variable of the kernel as the kernel
    // itself does in every context.
    unsafe { bindings::koru_jiffies() }
}

/// Returns the current number of ticks, as [`jiffies`] does, but as 64 bits on every machine.
///
/// Context: any.
///
/// # Examples
///
/// ```
/// let ticks: u64 = kernel::time::jiffies64();
/// # let _ = ticks;
/// ```
pub fn jiffies64() -> u64 {
    // SAFETY: the function takes no argument, and reads a variable of the kernel as the kernel
    // itself does in every context.
    unsafe { bindings::koru_jiffies64() }
}

/// A clock: one of those below.
///
/// # Examples
///
/// ```
/// use kernel::time::{ClockSource, Instant};
/// fn now<C: ClockSource>() -> Instant<C> {
///     Instant::now()
/// }
/// ```
pub trait ClockSource: Sealed {
    /// The number of the clock in system calls, `CLOCK_..`.
    const ID: i32;

    /// Returns the time of the clock, in nanoseconds.
    fn ktime_get() -> i64;
}

/// What only this crate can implement: the kernel knows no other clocks.
#[doc(hidden)]
pub trait Sealed {}

macro_rules! clocks {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $get:ident;)*) => {$(
        $(#[$doc])*
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use kernel::time::{Instant, ", stringify!($name), "};")]
        #[doc = concat!("let now = Instant::<", stringify!($name), ">::now();")]
        /// # let _ = now;
        ///
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name;

        impl Sealed for $name {}

        impl ClockSource for $name {
            const ID: i32 = $id;

            #[inline]
            fn ktime_get() -> i64 {
                // SAFETY: the function takes no argument. It is one of the `ktime_get()` family,
                // which may be called in any context but NMIs; in an NMI it could wait for ever,
                // but it would access no memory of ours.
                unsafe { bindings::$get() }
            }
        }
    )*};
}

clocks! {
    /// The time since boot without the time of sleep (`CLOCK_MONOTONIC`); it is never set.
    Monotonic = 1, koru_ktime_get;
    /// The time of day since 1970 (`CLOCK_REALTIME`); it may be set, also back.
    RealTime = 0, koru_ktime_get_real;
    /// The time since boot with the time of sleep (`CLOCK_BOOTTIME`); it is never set.
    BootTime = 7, koru_ktime_get_boottime;
    /// The international atomic time (`CLOCK_TAI`), which has no leap seconds.
    Tai = 11, koru_ktime_get_tai;
}

/// A point in time on the clock `C`.
///
/// # Examples
///
/// ```
/// use kernel::time::{Instant, Monotonic};
/// let start = Instant::<Monotonic>::now();
/// let passed = start.elapsed();
/// # let _ = passed;
/// ```
#[repr(transparent)]
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant<C: ClockSource> {
    inner: i64,
    _c: PhantomData<C>,
}

impl<C: ClockSource> Clone for Instant<C> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: ClockSource> Copy for Instant<C> {}

impl<C: ClockSource> Instant<C> {
    /// Returns the current time.
    ///
    /// Context: any but NMIs; it does not sleep.
    pub fn now() -> Self {
        Self {
            inner: C::ktime_get(),
            _c: PhantomData,
        }
    }

    /// Returns the time since this instant; it is negative if the clock was set back.
    #[inline]
    pub fn elapsed(&self) -> Delta {
        Self::now() - *self
    }

    /// Returns the nanoseconds since the clock's zero.
    #[inline]
    pub const fn as_nanos(&self) -> i64 {
        self.inner
    }
}

impl<C: ClockSource> Instant<C> {
    /// Creates an instant from the nanoseconds since the clock's zero.
    #[inline]
    pub(crate) const fn from_nanos(nanos: i64) -> Self {
        Self {
            inner: nanos,
            _c: PhantomData,
        }
    }
}

impl<C: ClockSource> Add<Delta> for Instant<C> {
    type Output = Self;
    #[inline]
    fn add(self, delta: Delta) -> Self {
        Self::from_nanos(self.inner.saturating_add(delta.nanos))
    }
}

impl<C: ClockSource> Sub<Delta> for Instant<C> {
    type Output = Self;
    #[inline]
    fn sub(self, delta: Delta) -> Self {
        Self::from_nanos(self.inner.saturating_sub(delta.nanos))
    }
}

impl<C: ClockSource> Sub for Instant<C> {
    type Output = Delta;
    #[inline]
    fn sub(self, other: Self) -> Delta {
        Delta::from_nanos(self.inner.saturating_sub(other.inner))
    }
}

/// A duration in nanoseconds, which may be negative.
///
/// # Examples
///
/// ```
/// use kernel::time::Delta;
/// let d = Delta::from_millis(1500);
/// assert!(d.as_nanos() == 1_500_000_000);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delta {
    nanos: i64,
}

impl Delta {
    /// The duration of 0.
    pub const ZERO: Self = Self { nanos: 0 };

    /// Creates a duration from nanoseconds.
    #[inline]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self { nanos }
    }

    /// Creates a duration from microseconds; it saturates.
    pub const fn from_micros(micros: i64) -> Self {
        Self {
            nanos: micros.saturating_mul(NSEC_PER_USEC),
        }
    }

    /// Creates a duration from milliseconds; it saturates.
    pub const fn from_millis(millis: i64) -> Self {
        Self {
            nanos: millis.saturating_mul(NSEC_PER_MSEC),
        }
    }

    /// Creates a duration from seconds; it saturates.
    pub const fn from_secs(secs: i64) -> Self {
        Self {
            nanos: secs.saturating_mul(NSEC_PER_SEC),
        }
    }

    /// Returns whether the duration is 0.
    #[inline]
    pub const fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Returns whether the duration is negative.
    #[inline]
    pub const fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Returns the duration in nanoseconds.
    #[inline]
    pub const fn as_nanos(self) -> i64 {
        self.nanos
    }

    /// Returns the duration in microseconds, rounded up.
    pub const fn as_micros_ceil(self) -> i64 {
        self.nanos
            .saturating_add(NSEC_PER_USEC - 1)
            .div_euclid(NSEC_PER_USEC)
    }

    /// Returns the duration in whole milliseconds, rounded towards 0.
    #[inline]
    pub const fn as_millis(self) -> i64 {
        self.nanos / NSEC_PER_MSEC
    }
}

impl Add for Delta {
    type Output = Self;
    #[inline]
    fn add(self, rhs: Self) -> Self {
        Self::from_nanos(self.nanos.saturating_add(rhs.nanos))
    }
}

impl Sub for Delta {
    type Output = Self;
    #[inline]
    fn sub(self, rhs: Self) -> Self {
        Self::from_nanos(self.nanos.saturating_sub(rhs.nanos))
    }
}

impl Neg for Delta {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self::from_nanos(self.nanos.saturating_neg())
    }
}
