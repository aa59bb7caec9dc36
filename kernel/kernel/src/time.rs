// SPDX-License-Identifier: GPL-2.0-only

//! Time: clocks, spans, and the timer's ticks.
//!
//! C headers: [`include/linux/ktime.h`](https://docs.kernel.org/core-api/timekeeping.html),
//! `include/linux/jiffies.h`

pub mod delay;

use crate::ffi::{c_uint, c_ulong};
use crate::{bindings, layout};
use core::marker::PhantomData;
use core::ops::{Add, Neg, Sub};

/// Nanoseconds in a microsecond.
pub const NSEC_PER_USEC: i64 = 1_000;
/// Nanoseconds in a millisecond.
pub const NSEC_PER_MSEC: i64 = 1_000_000;
/// Nanoseconds in a second.
pub const NSEC_PER_SEC: i64 = 1_000_000_000;

/// Ticks of the timer in a second: `CONFIG_HZ`.
pub const HZ: c_ulong = layout::HZ;

/// A count of the timer's ticks.
pub type Jiffies = c_ulong;

/// A count of milliseconds.
pub type Msecs = c_uint;

/// Milliseconds in ticks, rounded up.
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
    // SAFETY: the function takes a number, of any value, and touches no memory.
    unsafe { bindings::koru_msecs_to_jiffies(msecs) }
}

/// Ticks in milliseconds.
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
    // SAFETY: the function takes a number, of any value, and touches no memory.
    unsafe { bindings::koru_jiffies_to_msecs(ticks) }
}

/// The ticks so far. They start shortly before 2^32, so that 32-bit
/// arithmetic on them fails early: subtract with `wrapping_sub`.
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
    // SAFETY: the function takes nothing, and reads a variable of the kernel's as the kernel
    // itself does in every context.
    unsafe { bindings::koru_jiffies() }
}

/// As [`jiffies`], and 64 bits wide on every machine.
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
    // SAFETY: the function takes nothing, and reads a variable of the kernel's as the kernel
    // itself does in every context.
    unsafe { bindings::koru_jiffies64() }
}

/// A clock.
///
/// # Examples
///
/// ```
/// use kernel::time::{ClockSource, Instant};
/// fn now<C: ClockSource>() -> Instant<C> {
///     Instant::now()
/// }
/// ```
pub trait ClockSource {
    /// Its number in system calls, `CLOCK_..`.
    const ID: i32;

    /// The time on it, in nanoseconds.
    fn ktime_get() -> i64;
}

macro_rules! clocks {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $get:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use kernel::time::{Instant, ", stringify!($name), "};")]
        #[doc = concat!("let now = Instant::<", stringify!($name), ">::now();")]
        /// # let _ = now;
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name;

        impl ClockSource for $name {
            const ID: i32 = $id;

            #[inline]
            fn ktime_get() -> i64 {
                // SAFETY: the function takes nothing. It is one of `ktime_get`'s kind, which
                // may be called in every context but an NMI; there it could wait for ever, and
                // touch no memory.
                unsafe { bindings::$get() }
            }
        }
    )*};
}

clocks! {
    /// Time since boot without sleep (`CLOCK_MONOTONIC`). Never set.
    Monotonic = 1, koru_ktime_get;
    /// The time of day since 1970 (`CLOCK_REALTIME`). May be set, back too.
    RealTime = 0, koru_ktime_get_real;
    /// Time since boot with sleep (`CLOCK_BOOTTIME`). Never set.
    BootTime = 7, koru_ktime_get_boottime;
    /// International atomic time (`CLOCK_TAI`): without leap seconds.
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
    /// The time now.
    ///
    /// Context: any but NMIs; it does not sleep.
    pub fn now() -> Self {
        Self {
            inner: C::ktime_get(),
            _c: PhantomData,
        }
    }

    /// The time since then; negative if the clock was set back.
    #[inline]
    pub fn elapsed(&self) -> Delta {
        Self::now() - *self
    }

    /// Nanoseconds since the clock's zero.
    #[inline]
    pub const fn as_nanos(&self) -> i64 {
        self.inner
    }
}

impl<C: ClockSource> Sub for Instant<C> {
    type Output = Delta;
    #[inline]
    fn sub(self, other: Self) -> Delta {
        Delta::from_nanos(self.inner.saturating_sub(other.inner))
    }
}

/// A span of time, in nanoseconds, which may be negative.
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
    /// No time.
    pub const ZERO: Self = Self { nanos: 0 };

    /// From nanoseconds.
    #[inline]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self { nanos }
    }

    /// From microseconds; saturates.
    pub const fn from_micros(micros: i64) -> Self {
        Self {
            nanos: micros.saturating_mul(NSEC_PER_USEC),
        }
    }

    /// From milliseconds; saturates.
    pub const fn from_millis(millis: i64) -> Self {
        Self {
            nanos: millis.saturating_mul(NSEC_PER_MSEC),
        }
    }

    /// From seconds; saturates.
    pub const fn from_secs(secs: i64) -> Self {
        Self {
            nanos: secs.saturating_mul(NSEC_PER_SEC),
        }
    }

    /// Whether it is no time.
    #[inline]
    pub const fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Whether it is negative.
    #[inline]
    pub const fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// In nanoseconds.
    #[inline]
    pub const fn as_nanos(self) -> i64 {
        self.nanos
    }

    /// In microseconds, rounded up.
    pub const fn as_micros_ceil(self) -> i64 {
        self.nanos
            .saturating_add(NSEC_PER_USEC - 1)
            .div_euclid(NSEC_PER_USEC)
    }

    /// In whole milliseconds, rounded towards 0.
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
