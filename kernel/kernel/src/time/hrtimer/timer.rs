// SPDX-License-Identifier: GPL-2.0-only

//! The timer: a field of the object that it calls.

use super::mode::HrTimerMode;
use crate::bindings::{self, task_struct};
use crate::layout;
use crate::time::{ClockSource, Delta, Instant};
use crate::types::Opaque;
use core::marker::PhantomData;
use core::pin::Pin;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use pin_init::{pin_data, pin_init, pinned_drop, PinInit};

/// A point in time on the clock of the timer of `T`.
pub type HrTimerInstant<T> = Instant<<<T as HasHrTimer<T>>::TimerMode as HrTimerMode>::Clock>;

/// The field of an object by which it can be started: C's `struct hrtimer`.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, time::hrtimer::{HasHrTimer, HrTimer, HrTimerCallback}};
/// fn timer<T: HrTimerCallback + HasHrTimer<T>>() -> impl PinInit<HrTimer<T>> {
///     HrTimer::new()
/// }
/// ```
#[doc(alias = "hrtimer")]
#[pin_data(PinnedDrop)]
#[repr(C)]
pub struct HrTimer<T> {
    #[pin]
    timer: Opaque<layout::HrTimer>,
    /// The task that runs the callback, or that the callback has interrupted.
    runner: AtomicPtr<task_struct>,
    /// Whether the callback has cancelled its own timer.
    stopped: AtomicBool,
    _item: PhantomData<fn(&T)>,
}

// SAFETY: any thread may start and cancel a timer, and the kernel runs it on any CPU.
unsafe impl<T> Send for HrTimer<T> {}
// SAFETY: the kernel's functions take the lock of the timer's CPU, and the other fields are atomics.
unsafe impl<T> Sync for HrTimer<T> {}

impl<T> HrTimer<T> {
    /// Returns an initialiser of a timer that calls `run`.
    ///
    /// # Safety
    ///
    /// `run` must be callable with the timer whenever that was started.
    pub(super) unsafe fn with_function(run: bindings::koru_hrtimer_t) -> impl PinInit<Self>
    where
        T: HasHrTimer<T>,
    {
        pin_init!(Self {
            // SAFETY: the function takes memory for a `struct hrtimer` that is valid for writes and
            // does not move: the slot has its size and alignment, and the value is pinned. Clock and
            // mode are constants of the kernel's. By this function's contract it may call `run`.
            timer <- Opaque::ffi_init(|slot| unsafe {
                bindings::koru_hrtimer_setup(
                    layout::HrTimer::object(slot),
                    run,
                    <T::TimerMode as HrTimerMode>::Clock::ID,
                    T::TimerMode::C_MODE,
                );
            }),
            runner: AtomicPtr::new(ptr::null_mut()),
            stopped: AtomicBool::new(false),
            _item: PhantomData,
        })
    }

    #[inline]
    fn raw(&self) -> *mut bindings::hrtimer {
        self.timer.object()
    }

    /// Returns when the timer expires, or expired last.
    ///
    /// Context: any.
    #[doc(alias = "hrtimer_get_expires")]
    pub fn expires(&self) -> HrTimerInstant<T>
    where
        T: HasHrTimer<T>,
    {
        // SAFETY: C measured that `node.expires`, an `s64`, is at that offset of a `struct hrtimer`,
        // as which the field was initialised. Another CPU may write it meanwhile, as one word.
        Instant::from_nanos(unsafe {
            self.raw()
                .byte_add(layout::HRTIMER_EXPIRES)
                .cast::<i64>()
                .read_volatile()
        })
    }

    /// Moves the time of expiry forward by multiples of `interval`, until it is later than `now`, and
    /// returns how many.
    ///
    /// It returns 0 if the timer expires after `now`.
    ///
    /// Context: any but NMIs.
    #[doc(alias = "hrtimer_forward")]
    pub fn forward(self: Pin<&mut Self>, now: HrTimerInstant<T>, interval: Delta) -> u64
    where
        T: HasHrTimer<T>,
    {
        // SAFETY: the function takes a timer that is not queued, which nobody starts meanwhile. The
        // reference is the only one, and a timer is queued only while there is another pointer to its
        // object, or while its callback does not run.
        unsafe { bindings::hrtimer_forward(self.raw(), now.as_nanos(), interval.as_nanos()) }
    }

    /// Moves the time of expiry forward, as [`Self::forward`] does, until it is later than now.
    ///
    /// Context: any but NMIs.
    #[doc(alias = "hrtimer_forward_now")]
    pub fn forward_now(self: Pin<&mut Self>, interval: Delta) -> u64
    where
        T: HasHrTimer<T>,
    {
        self.forward(HrTimerInstant::<T>::now(), interval)
    }

    /// Starts a timer.
    ///
    /// # Safety
    ///
    /// The object, and the module's code, must stay until [`Self::cancel`] has returned true or false
    /// after this, and what the callback does must be allowed until then.
    pub(super) unsafe fn start(&self, nanos: i64, mode: u32) {
        // The kernel warns of times before the clock's zero, and takes negative durations for long
        // ones.
        // SAFETY: the function takes an initialised timer, which is not moved, and a mode that fits
        // the one that it was initialised with. By this function's contract the object stays.
        unsafe { bindings::hrtimer_start_range_ns(self.raw(), nanos.max(0), 0, mode) }
    }

    /// Cancels a timer, waits until its callback has returned, and returns whether it was started.
    ///
    /// It returns `None`, and does not wait, if the timer's callback calls it. Then the callback does
    /// not restart the timer.
    pub(super) fn cancel(&self) -> Option<bool> {
        // SAFETY: the function may be called in any context.
        let current = unsafe { bindings::koru_current() };
        // Only this CPU can have set this task, and it cannot leave the callback meanwhile.
        if self.runner.load(Ordering::Relaxed) == current {
            self.stopped.store(true, Ordering::Relaxed);
            return None;
        }
        // SAFETY: the function takes an initialised timer, and its callback, which it waits for, is
        // not the caller.
        Some(unsafe { bindings::hrtimer_cancel(self.raw()) } != 0)
    }

    /// Runs `f`, which is the callback, and returns whether the callback has cancelled its own timer.
    pub(super) fn running<R>(&self, f: impl FnOnce() -> R) -> (R, bool) {
        // SAFETY: the function may be called in any context.
        let current = unsafe { bindings::koru_current() };
        self.stopped.store(false, Ordering::Relaxed);
        self.runner.store(current, Ordering::Relaxed);
        let result = f();
        self.runner.store(ptr::null_mut(), Ordering::Relaxed);
        (result, self.stopped.load(Ordering::Relaxed))
    }
}

#[pinned_drop]
impl<T> PinnedDrop for HrTimer<T> {
    fn drop(self: Pin<&mut Self>) {
        if cfg!(CONFIG_DEBUG_OBJECTS_TIMERS) {
            // SAFETY: the function takes an initialised timer that is not started, which this is:
            // what starts it keeps a pointer to its object until it has cancelled it.
            unsafe { bindings::koru_hrtimer_destroy(self.raw()) };
        }
    }
}

/// An object that has an [`HrTimer`], as [`impl_has_hr_timer!`](crate::impl_has_hr_timer) declares.
///
/// # Safety
///
/// `raw_get_timer` must return a pointer to a field of the object with the provenance of the given
/// pointer, and `timer_container_of` must reverse that.
///
/// # Examples
///
/// ```
/// use kernel::time::hrtimer::HasHrTimer;
/// fn has_timer<T: HasHrTimer<T>>() {}
/// ```
pub unsafe trait HasHrTimer<T> {
    /// The mode of the timer.
    type TimerMode: HrTimerMode;

    /// Returns the timer of an object.
    ///
    /// # Safety
    ///
    /// `this` must point to a valid object.
    unsafe fn raw_get_timer(this: *const Self) -> *const HrTimer<T>;

    /// Returns the object that contains a timer.
    ///
    /// # Safety
    ///
    /// `ptr` must come from [`Self::raw_get_timer`].
    unsafe fn timer_container_of(ptr: *mut HrTimer<T>) -> *mut Self;
}

/// Names the field that contains an object's [`HrTimer`], and its mode.
///
/// # Examples
///
/// ```
/// use kernel::time::{hrtimer::{impl_has_hr_timer, AbsoluteMode, HrTimer}, BootTime};
/// struct Alarm {
///     timer: HrTimer<Self>,
/// }
/// impl_has_hr_timer! {
///     impl HasHrTimer<Self> for Alarm {
///         mode: AbsoluteMode<BootTime>, field: self.timer
///     }
/// }
/// ```
#[macro_export]
macro_rules! impl_has_hr_timer {
    (
        impl$({$($generics:tt)*})? HasHrTimer<$timer_type:ty> for $t:ty {
            mode: $mode:ty,
            field: self.$field:ident $(,)?
        }
        $($rest:tt)*
    ) => {
        // SAFETY: both functions name the same field. It is a field of the object itself, at a fixed
        // offset: `offset_of!` does not go through a `Deref`. It has the type in the signature,
        // because raw pointers are not coerced. It is aligned, because the compiler refuses a
        // reference to a field that is not.
        unsafe impl$(<$($generics)*>)? $crate::time::hrtimer::HasHrTimer<$timer_type> for $t {
            type TimerMode = $mode;

            #[inline]
            unsafe fn raw_get_timer(
                this: *const Self,
            ) -> *const $crate::time::hrtimer::HrTimer<$timer_type> {
                fn aligned$(<$($generics)*>)?(me: &$t) {
                    let _ = &me.$field;
                }
                let _: fn(&Self) = aligned;
                // SAFETY: by the trait's contract the pointer is that of a valid object, which
                // contains the field. The value is not read.
                unsafe { &raw const (*this).$field }
            }

            #[inline]
            unsafe fn timer_container_of(
                ptr: *mut $crate::time::hrtimer::HrTimer<$timer_type>,
            ) -> *mut Self {
                let offset = $crate::__core::mem::offset_of!(Self, $field);
                // SAFETY: by the trait's contract the pointer comes from `raw_get_timer`, which
                // added this offset within an object, and may be used for the whole object.
                unsafe { ptr.byte_sub(offset) }.cast()
            }
        }
        $crate::impl_has_hr_timer! { $($rest)* }
    };
    () => {};
}
