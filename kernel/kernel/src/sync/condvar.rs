// SPDX-License-Identifier: GPL-2.0-only

//! Condition variables and completions: waiting until something has happened.
//!
//! C header: `include/linux/wait.h`
//!
//! Reference: <https://docs.kernel.org/driver-api/basics.html#wait-queues-and-wake-events>

use super::lock::{Backend, Guard};
use super::lock_class::LockClassKey;
use crate::bindings;
use crate::ffi::{c_int, c_long};
use crate::layout;
use crate::time::Jiffies;
use crate::types::Opaque;
use core::ffi::CStr;
use core::marker::PhantomPinned;
use core::pin::Pin;
use pin_init::{pin_data, pin_init, PinInit};

/// Creates an initialiser of a [`CondVar`] with a lock class of its own.
///
/// The name is optional, and defaults to the place in the source.
///
/// # Examples
///
/// ```
/// use kernel::{new_condvar, prelude::*, sync::CondVar};
/// fn make() -> Result<Pin<KBox<CondVar>>> {
///     KBox::pin_init(new_condvar!("example"), GFP_KERNEL)
/// }
/// ```
#[macro_export]
macro_rules! new_condvar {
    ($($name:literal)? $(,)?) => {
        $crate::sync::CondVar::new(
            $crate::optional_name!($($name)?), $crate::static_lock_class!())
    };
}

/// The timeout of a wait without a time limit, in ticks.
const NO_TIMEOUT: c_long = c_long::MAX;

/// A condition variable.
///
/// A waiter releases a lock, sleeps until it is notified, and takes the lock again. It may wake for
/// no reason, so it must check its condition again, in a loop.
///
/// Context: waiting may sleep; notifying works in any context but NMIs.
///
/// # Examples
///
/// ```
/// use kernel::{new_condvar, new_mutex, prelude::*, sync::{CondVar, Mutex}};
/// # extern crate kernel as pin_init;
///
/// #[pin_data]
/// struct Mailbox {
///     #[pin]
///     letter: Mutex<Option<u32>>,
///     #[pin]
///     arrived: CondVar,
/// }
///
/// impl Mailbox {
///     fn new() -> impl PinInit<Self> {
///         pin_init!(Self {
///             letter <- new_mutex!(None),
///             arrived <- new_condvar!(),
///         })
///     }
///
///     fn put(&self, letter: u32) {
///         *self.letter.lock() = Some(letter);
///         self.arrived.notify_one();
///     }
///
///     fn take(&self) -> Result<u32> {
///         let mut place = self.letter.lock();
///         loop {
///             if let Some(letter) = place.take() {
///                 return Ok(letter);
///             }
///             if self.arrived.wait_interruptible(&mut place) {
///                 return Err(EINTR);
///             }
///         }
///     }
/// }
/// ```
#[pin_data]
pub struct CondVar {
    #[pin]
    queue: Opaque<layout::WaitQueueHead>,
    #[pin]
    _pin: PhantomPinned,
}

// SAFETY: a wait queue does not belong to a thread.
unsafe impl Send for CondVar {}
// SAFETY: the kernel's functions take the queue's own lock, so several threads may call them at
// once.
unsafe impl Sync for CondVar {}

/// The reason why a wait with a time limit returned.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, sync::CondVarTimeoutResult as WaitResult, time::Jiffies};
/// fn remaining(result: WaitResult) -> Result<Jiffies> {
///     match result {
///         WaitResult::Woken { jiffies } => Ok(jiffies),
///         WaitResult::Signal { .. } => Err(EINTR),
///         WaitResult::Timeout => Err(ETIMEDOUT),
///     }
/// }
/// ```
pub enum CondVarTimeoutResult {
    /// The time is over.
    Timeout,
    /// The waiter was notified, or woken for no reason.
    Woken {
        /// The ticks that remain.
        jiffies: Jiffies,
    },
    /// A signal is pending.
    Signal {
        /// The ticks that remain.
        jiffies: Jiffies,
    },
}

/// The way in which a waiter sleeps.
#[derive(Clone, Copy)]
pub(crate) enum SleepMode {
    Uninterruptible,
    Interruptible,
    #[cfg(koru_has = "TASK_FREEZABLE")]
    Freezable,
    /// A kernel thread of ours, which does not sleep once it should stop.
    KThread,
}

/// The result of a wait.
pub(crate) struct WaitOutcome {
    /// Whether a notification chose this waiter, so that no other one got it.
    pub(crate) notified: bool,
    /// The ticks that remain.
    remaining: c_long,
}

impl WaitOutcome {
    #[inline]
    pub(crate) fn jiffies(&self) -> Jiffies {
        Jiffies::try_from(self.remaining).unwrap_or(0)
    }
}

/// Returns whether the current system call should return.
fn should_return() -> bool {
    crate::current!().signal_pending()
}

impl CondVar {
    /// Returns an initialiser of a condition variable; [`new_condvar!`](crate::new_condvar!) is
    /// shorter.
    pub fn new(name: &'static CStr, key: Pin<&'static LockClassKey>) -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: `__init_waitqueue_head()` takes memory for a queue that is valid for writes
            // and does not move, and a name and a key that live as long: the slot has the size and
            // alignment of a queue, the value is pinned, and name and key are static.
            queue <- Opaque::ffi_init(|slot| unsafe {
                bindings::koru_wait_queue_init(layout::WaitQueueHead::object(slot), name.as_ptr().cast(), key.as_ptr());
            }),
            _pin: PhantomPinned,
        })
    }

    /// Waits once, for at most `timeout` ticks.
    pub(crate) fn wait_internal<T: ?Sized, B: Backend>(
        &self,
        sleep: SleepMode,
        guard: &mut Guard<'_, T, B>,
        timeout: c_long,
    ) -> WaitOutcome {
        let state = match sleep {
            SleepMode::Uninterruptible => layout::TASK_UNINTERRUPTIBLE,
            SleepMode::Interruptible => layout::TASK_INTERRUPTIBLE,
            #[cfg(koru_has = "TASK_FREEZABLE")]
            SleepMode::Freezable => layout::TASK_INTERRUPTIBLE | layout::TASK_FREEZABLE,
            SleepMode::KThread => layout::TASK_IDLE,
        };
        // This does not fail, because states are small numbers.
        let state = c_int::try_from(state).unwrap_or(c_int::MAX);
        let entry: Opaque<layout::WaitQueueEntry> = Opaque::uninit();
        let (queue, entry) = (self.queue.object(), entry.object());
        // SAFETY: the function takes an initialised queue, which the constructor made, and memory
        // for an entry, which it initialises. The entry stays on this stack until it is off the
        // queue again, below: a panic in between does not unwind.
        unsafe { bindings::koru_wait_prepare(queue, entry, state) };
        // The entry is on the queue before the lock is released, so no notification is missed. It
        // is off the queue, and the task running, before the lock is taken, which may sleep itself.
        guard.do_unlocked(|| {
            // Whoever ends the wait without the queue wakes only tasks that sleep already. So this
            // checks once more, now that the task has announced that it is about to sleep.
            let ended = match sleep {
                // SAFETY: `koru_kthread_should_stop()` is for kernel threads, and only those have a
                // `CurrentKThread`, which waits in this way.
                SleepMode::KThread => unsafe { bindings::koru_kthread_should_stop() != 0 },
                _ => false,
            };
            let remaining = match ended {
                true => timeout,
                // SAFETY: the task is on a queue, and may sleep, because the lock is released.
                false => unsafe { bindings::koru_wait_sleep(timeout) },
            };
            // SAFETY: `koru_wait_prepare` put this entry on this queue.
            let notified = unsafe { bindings::koru_wait_finish(queue, entry) != 0 };
            WaitOutcome {
                notified,
                remaining,
            }
        })
    }

    /// Releases the lock, sleeps until notified, and takes the lock again.
    ///
    /// Signals do not end the wait; [`Self::wait_interruptible`] is for system calls.
    ///
    /// Context: process context, with no other lock held that forbids sleeping; it sleeps.
    #[inline]
    pub fn wait<T: ?Sized, B: Backend>(&self, guard: &mut Guard<'_, T, B>) {
        self.wait_internal(SleepMode::Uninterruptible, guard, NO_TIMEOUT);
    }

    /// Waits as [`Self::wait`] does, but returns early if a signal is pending.
    ///
    /// The result is true if the system call should return, with `EINTR` or `ERESTARTSYS`.
    ///
    /// A notification is never lost: a waiter that [`Self::notify_one`] chose returns false even if
    /// a signal is pending as well, and learns about that the next time. So a waiter that returns
    /// true was not chosen, and need not notify another.
    ///
    /// Context: process context, with no other lock held that forbids sleeping; it sleeps.
    #[must_use = "a signal must end the system call"]
    #[inline]
    pub fn wait_interruptible<T: ?Sized, B: Backend>(&self, guard: &mut Guard<'_, T, B>) -> bool {
        self.wait_for_signal(SleepMode::Interruptible, guard)
    }

    /// Waits as [`Self::wait_interruptible`] does, without keeping the system from being suspended.
    ///
    /// Kernels before 6.1 lack this.
    ///
    /// Context: process context, with no other lock held that forbids sleeping; it sleeps.
    #[cfg(koru_has = "TASK_FREEZABLE")]
    #[must_use = "a signal must end the system call"]
    #[inline]
    pub fn wait_interruptible_freezable<T: ?Sized, B: Backend>(
        &self,
        guard: &mut Guard<'_, T, B>,
    ) -> bool {
        self.wait_for_signal(SleepMode::Freezable, guard)
    }

    fn wait_for_signal<T: ?Sized, B: Backend>(
        &self,
        sleep: SleepMode,
        guard: &mut Guard<'_, T, B>,
    ) -> bool {
        // A task that is not on the queue cannot be chosen.
        should_return() || {
            let end = self.wait_internal(sleep, guard, NO_TIMEOUT);
            !end.notified && should_return()
        }
    }

    /// Waits as [`Self::wait_interruptible`] does, for at most `jiffies` ticks.
    ///
    /// A waiter that was notified returns [`CondVarTimeoutResult::Woken`], even if the time is over
    /// as well.
    ///
    /// Context: process context, with no other lock held that forbids sleeping; it sleeps.
    #[must_use = "a signal must end the system call"]
    pub fn wait_interruptible_timeout<T: ?Sized, B: Backend>(
        &self,
        guard: &mut Guard<'_, T, B>,
        jiffies: Jiffies,
    ) -> CondVarTimeoutResult {
        if should_return() {
            return CondVarTimeoutResult::Signal { jiffies };
        }
        let timeout = c_long::try_from(jiffies).unwrap_or(NO_TIMEOUT);
        let end = self.wait_internal(SleepMode::Interruptible, guard, timeout);
        match end.jiffies() {
            jiffies if end.notified => CondVarTimeoutResult::Woken { jiffies },
            jiffies if should_return() => CondVarTimeoutResult::Signal { jiffies },
            0 => CondVarTimeoutResult::Timeout,
            jiffies => CondVarTimeoutResult::Woken { jiffies },
        }
    }

    /// Returns the wait queue.
    #[inline]
    pub(super) fn queue(&self) -> *mut bindings::wait_queue_head {
        self.queue.object()
    }

    #[inline]
    fn notify(&self, count: c_int, sync: bool) {
        // SAFETY: the function takes an initialised queue, which the constructor made.
        unsafe { bindings::koru_wake_up(self.queue.object(), count, c_int::from(sync)) }
    }

    /// Wakes one waiter, if there is one.
    ///
    /// The notification is not kept for later waiters.
    ///
    /// Context: any but NMIs; it does not sleep.
    #[inline]
    pub fn notify_one(&self) {
        self.notify(1, false);
    }

    /// Wakes all current waiters.
    ///
    /// Context: any but NMIs; it does not sleep.
    #[inline]
    pub fn notify_all(&self) {
        self.notify(0, false);
    }

    /// Wakes one waiter, as [`Self::notify_one`] does, and tells the scheduler that the caller is
    /// about to sleep, so that the waiter need not move to another CPU.
    ///
    /// Context: any but NMIs; it does not sleep.
    #[inline]
    pub fn notify_sync(&self) {
        self.notify(1, true);
    }
}

/// An event that happens once, and that others wait for.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, sync::{Arc, Completion}};
/// fn wait_for_it(ready: &Completion) {
///     ready.wait_for_completion();
/// }
/// fn make() -> Result<Arc<Completion>> {
///     Arc::pin_init(Completion::new(), GFP_KERNEL)
/// }
/// ```
#[pin_data]
pub struct Completion {
    #[pin]
    inner: Opaque<layout::Completion>,
    #[pin]
    _pin: PhantomPinned,
}

// SAFETY: a completion does not belong to a thread.
unsafe impl Send for Completion {}
// SAFETY: the kernel's functions take the lock of the completion's queue, so several threads may
// call them at once.
unsafe impl Sync for Completion {}

impl Completion {
    /// Returns an initialiser of a completion that is not complete.
    pub fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: `init_completion()` takes memory for a `struct completion` that is valid for
            // writes and does not move: the slot has its size and alignment, and the value is
            // pinned.
            inner <- Opaque::ffi_init(|slot| unsafe {
                bindings::koru_completion_init(layout::Completion::object(slot));
            }),
            _pin: PhantomPinned,
        })
    }

    /// Completes the event: all waiters continue, and nobody waits any more.
    ///
    /// Context: any but NMIs; it does not sleep.
    #[inline]
    pub fn complete_all(&self) {
        // SAFETY: `complete_all()` takes an initialised completion, which the constructor made.
        unsafe { bindings::koru_complete_all(self.inner.object()) }
    }

    /// Sleeps until the event is complete.
    ///
    /// Signals do not end the wait.
    ///
    /// Context: process context; it sleeps.
    #[inline]
    pub fn wait_for_completion(&self) {
        // SAFETY: the function takes an initialised completion, which the constructor made, and
        // which stays while it waits, because `self` is borrowed.
        unsafe { bindings::koru_wait_for_completion(self.inner.object()) }
    }
}
