// SPDX-License-Identifier: GPL-2.0-only

//! What a timer calls.

use super::mode::{HrTimerMode, HARD, RELATIVE};
use super::timer::{HasHrTimer, HrTimer, HrTimerInstant};
use crate::bindings;
use crate::time::{Delta, Instant};
use core::marker::PhantomData;
use pin_init::PinInit;

/// Whether a timer runs again.
///
/// # Examples
///
/// ```
/// use kernel::time::hrtimer::HrTimerRestart;
/// fn until_ten(n: u32) -> HrTimerRestart {
///     if n < 10 { HrTimerRestart::Restart } else { HrTimerRestart::NoRestart }
/// }
/// ```
#[doc(alias = "hrtimer_restart")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HrTimerRestart {
    /// The timer has ended.
    #[doc(alias = "HRTIMER_NORESTART")]
    NoRestart,
    /// The timer runs again when it expires, which should have been moved
    /// [forward](HrTimerCallbackContext::forward): otherwise it runs again at once.
    #[doc(alias = "HRTIMER_RESTART")]
    Restart,
}

/// A pointer to an object whose timer can call it.
///
/// # Examples
///
/// ```
/// use kernel::time::hrtimer::{HrTimerCallback, RawHrTimerCallback};
/// fn is_pointer<T: HrTimerCallback>() where T::Pointer<'static>: RawHrTimerCallback {}
/// ```
pub trait RawHrTimerCallback {
    /// What the callback gets.
    type CallbackTarget<'a>;

    /// Runs the callback.
    ///
    /// # Safety
    ///
    /// Only the kernel may call it, for a timer that was started through a pointer of this type.
    unsafe extern "C" fn run(ptr: *mut bindings::hrtimer) -> bindings::hrtimer_restart;

    /// Runs the callback of a timer in a hard mode, which may do less.
    ///
    /// # Safety
    ///
    /// As for [`Self::run`].
    unsafe extern "C" fn run_hard(ptr: *mut bindings::hrtimer) -> bindings::hrtimer_restart;
}

/// An object whose [`HrTimer`] can be started.
///
/// # Examples
///
/// ```
/// use kernel::{
///     prelude::*,
///     time::{
///         hrtimer::{
///             impl_has_hr_timer, HrTimer, HrTimerCallback, HrTimerCallbackContext,
///             HrTimerRestart, RelativeMode,
///         },
///         Monotonic,
///     },
/// };
///
/// struct Once {
///     timer: HrTimer<Self>,
///     expired: bool,
/// }
///
/// impl_has_hr_timer! {
///     impl HasHrTimer<Self> for Once {
///         mode: RelativeMode<Monotonic>, field: self.timer
///     }
/// }
///
/// impl HrTimerCallback for Once {
///     type Pointer<'a> = Pin<KBox<Self>>;
///
///     fn run(
///         this: Pin<&mut Self>,
///         _ctx: HrTimerCallbackContext<'_, Self>,
///     ) -> HrTimerRestart {
///         let _ = this.expired;
///         HrTimerRestart::NoRestart
///     }
/// }
/// ```
pub trait HrTimerCallback {
    /// The pointer through which the timer is started: an `Arc<Self>` or a `Pin<Box<Self, A>>`.
    type Pointer<'a>: RawHrTimerCallback;

    /// Called when the timer expires.
    ///
    /// Context: an interrupt, or a soft interrupt if the mode says so. It must not sleep, nor take a
    /// lock if the mode is a hard one; see the description of the [module](crate::time::hrtimer).
    fn run(
        this: <Self::Pointer<'_> as RawHrTimerCallback>::CallbackTarget<'_>,
        ctx: HrTimerCallbackContext<'_, Self>,
    ) -> HrTimerRestart
    where
        Self: Sized,
        Self: HasHrTimer<Self>;
}

impl<T> HrTimer<T> {
    /// Returns an initialiser of a timer that is not started.
    ///
    /// Context: any but NMIs.
    #[doc(alias = "hrtimer_init")]
    #[doc(alias = "hrtimer_setup")]
    pub fn new() -> impl PinInit<Self>
    where
        T: HrTimerCallback + HasHrTimer<T>,
    {
        // SAFETY: the timer is started by `start` only, through a pointer of the type `T::Pointer`.
        unsafe { Self::with_function(EntryPoint::<T>::OF_ITS_MODE) }
    }
}

/// The function that the kernel calls for a timer of `T`.
struct EntryPoint<T>(PhantomData<fn(&T)>);

impl<T: HrTimerCallback + HasHrTimer<T>> EntryPoint<T> {
    // A constant, so that the module contains only one of the two.
    const OF_ITS_MODE: bindings::koru_hrtimer_t = match T::TimerMode::C_MODE & HARD {
        0 => Some(<T::Pointer<'static> as RawHrTimerCallback>::run),
        _ => Some(<T::Pointer<'static> as RawHrTimerCallback>::run_hard),
    };
}

/// The call of a callback, in which the timer is not queued.
///
/// # Examples
///
/// ```
/// use kernel::time::{hrtimer::{HasHrTimer, HrTimerCallbackContext}, Delta};
/// fn next<T: HasHrTimer<T>>(ctx: &mut HrTimerCallbackContext<'_, T>) -> u64 {
///     ctx.forward_now(Delta::from_millis(1))
/// }
/// ```
pub struct HrTimerCallbackContext<'a, T> {
    firing: &'a mut Firing,
    _item: PhantomData<fn(&T)>,
}

/// When the timer expires, in nanoseconds, and whether the callback has set that.
struct Firing {
    expires: i64,
    forwarded: bool,
}

impl<T: HasHrTimer<T>> HrTimerCallbackContext<'_, T> {
    /// Moves the time of expiry forward by multiples of `interval`, until it is later than `now`, and
    /// returns how many.
    ///
    /// It returns 0 if the timer expires after `now`. The new time is that of the timer once the
    /// callback has returned [`HrTimerRestart::Restart`]. An interval below a nanosecond counts as
    /// one.
    ///
    /// Context: any.
    #[doc(alias = "hrtimer_forward")]
    pub fn forward(&mut self, now: HrTimerInstant<T>, interval: Delta) -> u64 {
        // The kernel's own function writes the time into the timer, which another CPU may start
        // meanwhile through another pointer.
        let interval = interval.as_nanos().max(1);
        let passed = now.as_nanos().saturating_sub(self.firing.expires);
        if passed < 0 {
            return 0;
        }
        let overruns = (passed / interval).saturating_add(1);
        let moved = interval.saturating_mul(overruns);
        self.firing.expires = self.firing.expires.saturating_add(moved);
        self.firing.forwarded = true;
        overruns.unsigned_abs()
    }

    /// Moves the time of expiry forward, as [`Self::forward`] does, until it is later than now.
    ///
    /// Context: any but NMIs.
    #[doc(alias = "hrtimer_forward_now")]
    pub fn forward_now(&mut self, interval: Delta) -> u64 {
        self.forward(HrTimerInstant::<T>::now(), interval)
    }
}

/// Runs `callback` with the object of a timer, and returns what the kernel is to do with the timer.
///
/// # Safety
///
/// The caller must be a [`RawHrTimerCallback::run`] that was called with this pointer.
#[inline(always)]
pub(super) unsafe fn fire<T: HasHrTimer<T>>(
    ptr: *mut bindings::hrtimer,
    callback: impl FnOnce(*mut T, HrTimerCallbackContext<'_, T>) -> HrTimerRestart,
) -> bindings::hrtimer_restart {
    let timer: *mut HrTimer<T> = ptr.cast();
    // SAFETY: a `HrTimer` begins with its `struct hrtimer`, and this one is in an object of type `T`,
    // from whose pointer it comes: it was started by `HrTimer::start`.
    let item = unsafe { T::timer_container_of(timer) };
    // SAFETY: the object of a timer stays until the callback has returned, because it was started.
    let timer = unsafe { &*timer };
    let mut firing = Firing {
        expires: Instant::as_nanos(&timer.expires()),
        forwarded: false,
    };
    let (restart, stopped) = timer.running(|| {
        callback(
            item,
            HrTimerCallbackContext {
                firing: &mut firing,
                _item: PhantomData,
            },
        )
    });
    match restart {
        HrTimerRestart::Restart if !stopped => {}
        _ => return bindings::HRTIMER_NORESTART,
    }
    let expires = match firing.forwarded {
        true => firing.expires,
        false => Instant::as_nanos(&timer.expires()),
    };
    // The kernel calls what has expired again before the interrupt ends, so that it would never end.
    let later = Instant::as_nanos(&HrTimerInstant::<T>::now()).saturating_add(1);
    // SAFETY: the pointer through which the timer was started is still there, because it is cancelled
    // only after this has returned.
    unsafe { timer.start(expires.max(later), T::TimerMode::C_MODE & !RELATIVE) };
    bindings::HRTIMER_NORESTART
}
