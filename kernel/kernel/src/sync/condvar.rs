// SPDX-License-Identifier: GPL-2.0-only

//! Waiting until somebody has changed what a lock protects.
//!
//! C header: [`include/linux/wait.h`](https://docs.kernel.org/driver-api/basics.html#wait-queues-and-wake-events)

use super::lock::{Backend, Guard};
use super::LockClassKey;
use crate::bindings;
use crate::ffi::{c_int, c_long};
use crate::layout;
use crate::time::Jiffies;
use crate::types::Opaque;
use core::ffi::CStr;
use core::marker::PhantomPinned;
use core::pin::Pin;
use pin_init::{pin_data, pin_init, PinInit};

/// Makes a [`CondVar`], with a lock class of its own.
///
/// A name may follow; without one it is the place in the source.
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

/// How long is for ever, in ticks.
const FOREVER: c_long = c_long::MAX;

/// A condition variable: waiters give a lock back, sleep until they are notified,
/// and take it again. They may wake for no reason, so they look again whether it
/// is time, in a loop.
///
/// Waiting is for code that may sleep; notifying is for every context.
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

// SAFETY: a wait queue may be used from every thread.
unsafe impl Send for CondVar {}
// SAFETY: it has a lock of its own.
unsafe impl Sync for CondVar {}

/// How a wait with a time limit ended.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, sync::CondVarTimeoutResult as End, time::Jiffies};
/// fn left(end: End) -> Result<Jiffies> {
///     match end {
///         End::Woken { jiffies } => Ok(jiffies),
///         End::Signal { .. } => Err(EINTR),
///         End::Timeout => Err(ETIMEDOUT),
///     }
/// }
/// ```
pub enum CondVarTimeoutResult {
    /// The time is over.
    Timeout,
    /// Notified, or woken for no reason.
    Woken {
        /// The ticks that are left.
        jiffies: Jiffies,
    },
    /// A signal came.
    Signal {
        /// The ticks that are left.
        jiffies: Jiffies,
    },
}

/// How a waiter sleeps.
#[derive(Clone, Copy)]
pub(crate) enum Sleep {
    Uninterruptible,
    Interruptible,
    /// Of a kernel thread of ours: not at all once it is to stop.
    KThread,
}

impl CondVar {
    /// Makes one; [`new_condvar!`](crate::new_condvar!) is shorter.
    pub fn new(name: &'static CStr, key: Pin<&'static LockClassKey>) -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: the slot is of the right size and stays where it is; name
            // and key are static.
            queue <- Opaque::ffi_init(|slot| unsafe {
                bindings::koru_wait_queue_init(layout::WaitQueueHead::object(slot), name.as_ptr().cast(), key.as_ptr());
            }),
            _pin: PhantomPinned,
        })
    }

    /// One wait; what is left of `timeout`.
    pub(crate) fn wait_internal<T: ?Sized, B: Backend>(
        &self,
        sleep: Sleep,
        guard: &mut Guard<'_, T, B>,
        timeout: c_long,
    ) -> c_long {
        let (state, kthread) = match sleep {
            Sleep::Uninterruptible => (layout::TASK_UNINTERRUPTIBLE, false),
            Sleep::Interruptible => (layout::TASK_INTERRUPTIBLE, false),
            Sleep::KThread => (layout::TASK_IDLE, true),
        };
        // Does not fail: states are small numbers.
        let state = c_int::try_from(state).unwrap_or(c_int::MAX);
        let entry: Opaque<layout::WaitQueueEntry> = Opaque::uninit();
        let (queue, entry) = (self.queue.object(), entry.object());
        // SAFETY: the entry is of the right size, and stays on this stack until it
        // is off the queue again, below.
        unsafe { bindings::koru_wait_prepare(queue, entry, state) };
        // On the queue before the lock is given back: no notification is missed. Off
        // it, and running, before the lock is taken, which may sleep itself.
        guard.do_unlocked(|| {
            // SAFETY: with the lock given back this thread may sleep.
            let left = unsafe { bindings::koru_wait_sleep(timeout, c_int::from(kthread)) };
            // SAFETY: it was put on this queue above.
            unsafe { bindings::koru_wait_finish(queue, entry) };
            left
        })
    }

    /// Gives the lock back, sleeps until notified, takes the lock again. Signals do
    /// not wake; for system calls there is [`Self::wait_interruptible`].
    pub fn wait<T: ?Sized, B: Backend>(&self, guard: &mut Guard<'_, T, B>) {
        self.wait_internal(Sleep::Uninterruptible, guard, FOREVER);
    }

    /// The same until notified or a signal comes; true if there is a signal to
    /// handle.
    #[must_use = "a signal must end the system call"]
    pub fn wait_interruptible<T: ?Sized, B: Backend>(&self, guard: &mut Guard<'_, T, B>) -> bool {
        self.wait_internal(Sleep::Interruptible, guard, FOREVER);
        crate::current!().signal_pending()
    }

    /// The same until notified, a signal comes, or `jiffies` ticks are over.
    #[must_use = "a signal must end the system call"]
    pub fn wait_interruptible_timeout<T: ?Sized, B: Backend>(
        &self,
        guard: &mut Guard<'_, T, B>,
        jiffies: Jiffies,
    ) -> CondVarTimeoutResult {
        let timeout = c_long::try_from(jiffies).unwrap_or(FOREVER);
        let left = self.wait_internal(Sleep::Interruptible, guard, timeout);
        let jiffies = Jiffies::try_from(left).unwrap_or(0);
        if crate::current!().signal_pending() {
            CondVarTimeoutResult::Signal { jiffies }
        } else if jiffies == 0 {
            CondVarTimeoutResult::Timeout
        } else {
            CondVarTimeoutResult::Woken { jiffies }
        }
    }

    fn notify(&self, count: c_int, sync: bool) {
        // SAFETY: the constructor made the queue.
        unsafe { bindings::koru_wake_up(self.queue.object(), count, c_int::from(sync)) }
    }

    /// Wakes one waiter, if there is one. Nothing is remembered for later ones.
    pub fn notify_one(&self) {
        self.notify(1, false);
    }

    /// Wakes all who wait now.
    pub fn notify_all(&self) {
        self.notify(0, false);
    }

    /// As [`Self::notify_one`], and tells the scheduler that the caller is about to
    /// sleep, so that the other need not go to another CPU.
    pub fn notify_sync(&self) {
        self.notify(1, true);
    }
}

/// Something that happens once, and for which others wait.
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

// SAFETY: a completion may be used from every thread.
unsafe impl Send for Completion {}
// SAFETY: it has a lock of its own.
unsafe impl Sync for Completion {}

impl Completion {
    /// Makes one that has not happened.
    pub fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: the slot is of the right size and stays where it is.
            inner <- Opaque::ffi_init(|slot| unsafe {
                bindings::koru_completion_init(layout::Completion::object(slot));
            }),
            _pin: PhantomPinned,
        })
    }

    /// It has happened: all who wait go on, and nobody waits any more. May be
    /// called in every context.
    pub fn complete_all(&self) {
        // SAFETY: the constructor made it.
        unsafe { bindings::koru_complete_all(self.inner.object()) }
    }

    /// Sleeps until it has happened. Signals do not wake.
    pub fn wait_for_completion(&self) {
        // SAFETY: the constructor made it.
        unsafe { bindings::koru_wait_for_completion(self.inner.object()) }
    }
}
