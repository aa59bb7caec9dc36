// SPDX-License-Identifier: GPL-2.0-only

//! Handles, which cancel the timers that were started.

use super::timer::{HasHrTimer, HrTimer};
use crate::alloc::{Allocator, Box};
use crate::pending::Pending;
use crate::sync::Arc;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::ptr::NonNull;

/// The handle of a timer, which cancels it when dropped.
///
/// # Safety
///
/// Dropping it must cancel the timer, and wait until its callback has returned.
///
/// # Examples
///
/// ```
/// use kernel::time::hrtimer::HrTimerHandle;
/// fn stop(mut handle: impl HrTimerHandle) -> bool {
///     handle.cancel()
/// }
/// ```
pub unsafe trait HrTimerHandle {
    /// Cancels the timer, waits until its callback has returned, and returns whether the timer was
    /// started or the callback ran.
    ///
    /// In the callback of the timer itself it returns true and does not wait; that callback does not
    /// restart the timer.
    ///
    /// Context: process context, or another timer's callback; see the description of the
    /// [module](crate::time::hrtimer#dropping-handles).
    #[doc(alias = "hrtimer_cancel")]
    fn cancel(&mut self) -> bool;
}

/// Returns the timer of an object.
///
/// # Safety
///
/// `item` must point to a valid object, which stays during `'a`.
#[inline]
pub(super) unsafe fn timer_of<'a, T: HasHrTimer<T>>(item: *const T) -> &'a HrTimer<T> {
    // SAFETY: by this function's contract the object is valid, and so is its field.
    unsafe { &*T::raw_get_timer(item) }
}

/// The handle of a timer that was started through an [`Arc`].
///
/// # Examples
///
/// ```
/// use kernel::time::hrtimer::{ArcHrTimerHandle, HasHrTimer};
/// struct Device<T: HasHrTimer<T>> {
///     timer: Option<ArcHrTimerHandle<T>>,
/// }
/// ```
pub struct ArcHrTimerHandle<T: HasHrTimer<T>> {
    inner: ManuallyDrop<Arc<T>>,
    // The module's code stays as long as this. It is `None` if the timer was not started.
    pending: ManuallyDrop<Option<Pending>>,
}

impl<T: HasHrTimer<T>> ArcHrTimerHandle<T> {
    pub(super) fn new(inner: Arc<T>, pending: Option<Pending>) -> Self {
        Self {
            inner: ManuallyDrop::new(inner),
            pending: ManuallyDrop::new(pending),
        }
    }

    fn timer(&self) -> &HrTimer<T> {
        // SAFETY: the `Arc` keeps the object as long as it is borrowed.
        unsafe { timer_of(&raw const **self.inner) }
    }
}

// SAFETY: the drop cancels the timer, or leaks the object if the callback calls it.
unsafe impl<T: HasHrTimer<T>> HrTimerHandle for ArcHrTimerHandle<T> {
    fn cancel(&mut self) -> bool {
        self.timer().cancel().unwrap_or(true)
    }
}

impl<T: HasHrTimer<T>> Drop for ArcHrTimerHandle<T> {
    fn drop(&mut self) {
        if self.timer().cancel().is_none() {
            // The callback that drops this still uses the object, and the kernel the timer.
            return;
        }
        // SAFETY: both are dropped here only, and not used any more. The module may go once the
        // second one is, so it is the last.
        unsafe {
            ManuallyDrop::drop(&mut self.inner);
            ManuallyDrop::drop(&mut self.pending);
        }
    }
}

/// The handle of a timer that was started through a pinned [`Box`].
///
/// # Invariants
///
/// The pointer is that of a pinned box, which only the drop of this value drops.
///
/// # Examples
///
/// ```
/// use kernel::{alloc::Allocator, time::hrtimer::{BoxHrTimerHandle, HasHrTimer}};
/// struct Device<T: HasHrTimer<T>, A: Allocator> {
///     timer: Option<BoxHrTimerHandle<T, A>>,
/// }
/// ```
pub struct BoxHrTimerHandle<T: HasHrTimer<T>, A: Allocator> {
    inner: NonNull<T>,
    // The module's code stays as long as this. It is `None` if the timer was not started.
    pending: ManuallyDrop<Option<Pending>>,
    _owns: core::marker::PhantomData<Box<T, A>>,
}

// SAFETY: it owns a box, whose object it only drops.
unsafe impl<T: HasHrTimer<T> + Send, A: Allocator> Send for BoxHrTimerHandle<T, A> {}
// SAFETY: a shared reference gives access to nothing.
unsafe impl<T: HasHrTimer<T> + Send, A: Allocator> Sync for BoxHrTimerHandle<T, A> {}

impl<T: HasHrTimer<T>, A: Allocator> BoxHrTimerHandle<T, A> {
    pub(super) fn new(inner: Pin<Box<T, A>>, pending: Option<Pending>) -> Self {
        // SAFETY: the object is not moved: the drop pins it again.
        let inner = Box::into_raw(unsafe { Pin::into_inner_unchecked(inner) });
        Self {
            // INVARIANT: the pointer comes from `into_raw`.
            // SAFETY: the pointer of a box is not null.
            inner: unsafe { NonNull::new_unchecked(inner) },
            pending: ManuallyDrop::new(pending),
            _owns: core::marker::PhantomData,
        }
    }

    pub(super) fn timer(&self) -> &HrTimer<T> {
        // SAFETY: by the type's invariant the object stays as long as `self`, which is borrowed.
        unsafe { timer_of(self.inner.as_ptr()) }
    }
}

// SAFETY: the drop cancels the timer, or leaks the object if the callback calls it.
unsafe impl<T: HasHrTimer<T>, A: Allocator> HrTimerHandle for BoxHrTimerHandle<T, A> {
    fn cancel(&mut self) -> bool {
        self.timer().cancel().unwrap_or(true)
    }
}

impl<T: HasHrTimer<T>, A: Allocator> Drop for BoxHrTimerHandle<T, A> {
    fn drop(&mut self) {
        if self.timer().cancel().is_none() {
            // The callback that drops this still uses the object, and the kernel the timer.
            return;
        }
        // SAFETY: by the type's invariant the pointer is that of a pinned box, which is dropped here
        // only. The timer is cancelled, so nobody else uses the object. The module may go once
        // `pending` is dropped, so it is the last.
        unsafe {
            drop(Pin::new_unchecked(Box::<T, A>::from_raw(
                self.inner.as_ptr(),
            )));
            ManuallyDrop::drop(&mut self.pending);
        }
    }
}
