// SPDX-License-Identifier: GPL-2.0-only

//! The pointers through which a timer can be started.

use super::callback::{
    fire, HrTimerCallback, HrTimerCallbackContext, HrTimerRestart, RawHrTimerCallback,
};
use super::handle::{timer_of, ArcHrTimerHandle, BoxHrTimerHandle, HrTimerHandle};
use super::mode::{HrTimerExpires, HrTimerMode};
use super::timer::HasHrTimer;
use crate::alloc::{Allocator, Box};
use crate::bindings;
use crate::pending::Pending;
use crate::sync::{Arc, ArcBorrow};
use core::pin::Pin;

/// A pointer through which a timer can be started, and which the handle keeps.
///
/// [`Arc`] and `Pin<Box<T, A>>` implement it.
///
/// # Examples
///
/// ```
/// use kernel::time::{hrtimer::{HrTimerMode, HrTimerPointer}, Delta};
/// fn soon<P>(item: P) -> P::TimerHandle
/// where
///     P: HrTimerPointer,
///     P::TimerMode: HrTimerMode<Expires = Delta>,
/// {
///     item.start(Delta::from_micros(100))
/// }
/// ```
pub trait HrTimerPointer: Sync + Sized {
    /// The mode of the timer.
    type TimerMode: HrTimerMode;
    /// The handle of the timer.
    type TimerHandle: HrTimerHandle;

    /// Starts the timer, and returns its handle.
    ///
    /// A timer that is started already expires at the new time instead. A negative time counts as 0.
    /// If the module is being unloaded, the timer is not started.
    ///
    /// Context: any but NMIs.
    #[doc(alias = "hrtimer_start")]
    fn start(self, expires: <Self::TimerMode as HrTimerMode>::Expires) -> Self::TimerHandle;
}

/// What both functions of a [`RawHrTimerCallback`] do.
trait RunCallback {
    /// Runs the callback.
    ///
    /// # Safety
    ///
    /// As for [`RawHrTimerCallback::run`].
    unsafe fn run_callback(ptr: *mut bindings::hrtimer) -> bindings::hrtimer_restart;
}

/// The functions that the kernel calls. The build checks what they call, by their sections.
macro_rules! entry_points {
    () => {
        #[link_section = ".text.koru_hrtimer"]
        unsafe extern "C" fn run(ptr: *mut bindings::hrtimer) -> bindings::hrtimer_restart {
            // SAFETY: the contracts are the same.
            unsafe { Self::run_callback(ptr) }
        }

        #[link_section = ".text.koru_hrtimer_hard"]
        unsafe extern "C" fn run_hard(ptr: *mut bindings::hrtimer) -> bindings::hrtimer_restart {
            // SAFETY: the contracts are the same.
            unsafe { Self::run_callback(ptr) }
        }
    };
}

impl<T> HrTimerPointer for Arc<T>
where
    T: 'static + Send + Sync + HasHrTimer<T> + for<'a> HrTimerCallback<Pointer<'a> = Self>,
{
    type TimerMode = <T as HasHrTimer<T>>::TimerMode;
    type TimerHandle = ArcHrTimerHandle<T>;

    fn start(self, expires: <Self::TimerMode as HrTimerMode>::Expires) -> Self::TimerHandle {
        let pending = Pending::new();
        if pending.is_some() {
            // SAFETY: the handle keeps the object and the module until it has cancelled the timer.
            // Any CPU may run the callback, because the object is `Send` and `Sync`.
            unsafe {
                timer_of::<T>(&raw const *self).start(expires.as_nanos(), Self::TimerMode::C_MODE);
            }
        }
        ArcHrTimerHandle::new(self, pending)
    }
}

impl<T> RawHrTimerCallback for Arc<T>
where
    T: 'static + HasHrTimer<T> + for<'a> HrTimerCallback<Pointer<'a> = Self>,
{
    type CallbackTarget<'a> = ArcBorrow<'a, T>;

    entry_points!();
}

impl<T> RunCallback for Arc<T>
where
    T: 'static + HasHrTimer<T> + for<'a> HrTimerCallback<Pointer<'a> = Self>,
{
    #[inline(always)]
    unsafe fn run_callback(ptr: *mut bindings::hrtimer) -> bindings::hrtimer_restart {
        let callback = |item: *mut T, ctx: HrTimerCallbackContext<'_, T>| -> HrTimerRestart {
            // SAFETY: the timer was started through an `Arc`, which its handle has until the callback
            // has returned.
            T::run(unsafe { ArcBorrow::from_raw(item) }, ctx)
        };
        // SAFETY: this is the call for that pointer.
        unsafe { fire(ptr, callback) }
    }
}

impl<T, A> HrTimerPointer for Pin<Box<T, A>>
where
    T: 'static + Send + Sync + HasHrTimer<T> + for<'a> HrTimerCallback<Pointer<'a> = Self>,
    A: Allocator,
{
    type TimerMode = <T as HasHrTimer<T>>::TimerMode;
    type TimerHandle = BoxHrTimerHandle<T, A>;

    fn start(self, expires: <Self::TimerMode as HrTimerMode>::Expires) -> Self::TimerHandle {
        let pending = Pending::new();
        let starts = pending.is_some();
        let handle = BoxHrTimerHandle::new(self, pending);
        if starts {
            // SAFETY: the handle keeps the object and the module until it has cancelled the timer.
            // Any CPU may run the callback, because the object is `Send`.
            unsafe {
                handle
                    .timer()
                    .start(expires.as_nanos(), Self::TimerMode::C_MODE);
            }
        }
        handle
    }
}

impl<T, A> RawHrTimerCallback for Pin<Box<T, A>>
where
    T: 'static + HasHrTimer<T> + for<'a> HrTimerCallback<Pointer<'a> = Self>,
    A: Allocator,
{
    type CallbackTarget<'a> = Pin<&'a mut T>;

    entry_points!();
}

impl<T, A> RunCallback for Pin<Box<T, A>>
where
    T: 'static + HasHrTimer<T> + for<'a> HrTimerCallback<Pointer<'a> = Self>,
    A: Allocator,
{
    #[inline(always)]
    unsafe fn run_callback(ptr: *mut bindings::hrtimer) -> bindings::hrtimer_restart {
        let callback = |item: *mut T, ctx: HrTimerCallbackContext<'_, T>| -> HrTimerRestart {
            // SAFETY: the timer was started through a pinned box, which its handle has until the
            // callback has returned, and does not use. Calls do not overlap.
            T::run(unsafe { Pin::new_unchecked(&mut *item) }, ctx)
        };
        // SAFETY: this is the call for that pointer.
        unsafe { fire(ptr, callback) }
    }
}
