// SPDX-License-Identifier: GPL-2.0-only

//! Waiting until somebody has changed what a lock protects.
//!
//! C header: [`include/linux/wait.h`](https://docs.kernel.org/driver-api/basics.html#wait-queues-and-wake-events)

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

// SAFETY: a wait queue is of no thread.
unsafe impl Send for CondVar {}
// SAFETY: the kernel's functions take the queue's own lock, so several threads may call
// them at once.
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
    Freezable,
    /// Of a kernel thread of ours: not at all once it is to stop.
    KThread,
}

/// How a wait ended.
pub(crate) struct End {
    /// A notification chose this waiter, so no other one got it.
    pub(crate) notified: bool,
    /// The ticks that are left.
    remaining: c_long,
}

impl End {
    #[inline]
    pub(crate) fn jiffies(&self) -> Jiffies {
        Jiffies::try_from(self.remaining).unwrap_or(0)
    }
}

/// Whether the system call that this task is in should end.
fn should_return() -> bool {
    crate::current!().signal_pending()
}

impl CondVar {
    /// Makes one; [`new_condvar!`](crate::new_condvar!) is shorter.
    pub fn new(name: &'static CStr, key: Pin<&'static LockClassKey>) -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: `__init_waitqueue_head()` wants memory for a queue that is valid for
            // writes and stays where it is, and a name and key that live as long: the slot
            // has its size and alignment, the value is pinned, and name and key are static.
            queue <- Opaque::ffi_init(|slot| unsafe {
                bindings::koru_wait_queue_init(layout::WaitQueueHead::object(slot), name.as_ptr().cast(), key.as_ptr());
            }),
            _pin: PhantomPinned,
        })
    }

    /// One wait of at most `timeout` ticks.
    pub(crate) fn wait_internal<T: ?Sized, B: Backend>(
        &self,
        sleep: Sleep,
        guard: &mut Guard<'_, T, B>,
        timeout: c_long,
    ) -> End {
        let state = match sleep {
            Sleep::Uninterruptible => layout::TASK_UNINTERRUPTIBLE,
            Sleep::Interruptible => layout::TASK_INTERRUPTIBLE,
            Sleep::Freezable => layout::TASK_INTERRUPTIBLE | layout::TASK_FREEZABLE,
            Sleep::KThread => layout::TASK_IDLE,
        };
        // Does not fail: states are small numbers.
        let state = c_int::try_from(state).unwrap_or(c_int::MAX);
        let entry: Opaque<layout::WaitQueueEntry> = Opaque::uninit();
        let (queue, entry) = (self.queue.object(), entry.object());
        // SAFETY: the function wants a queue that was made, as the constructor did, and
        // memory for an entry, which it makes. That stays on this stack until it is off the
        // queue again, below: a panic in between does not unwind.
        unsafe { bindings::koru_wait_prepare(queue, entry, state) };
        // On the queue before the lock is given back: no notification is missed. Off
        // it, and running, before the lock is taken, which may sleep itself.
        guard.do_unlocked(|| {
            // Whoever ends the wait otherwise wakes only those that sleep already; so
            // look once more, now that this thread has said that it is about to.
            let ended = match sleep {
                Sleep::Uninterruptible | Sleep::Interruptible | Sleep::Freezable => false,
                // SAFETY: only `CurrentKThread`, which is in kernel threads, asks for this.
                Sleep::KThread => unsafe { bindings::koru_kthread_should_stop() != 0 },
            };
            let remaining = match ended {
                true => timeout,
                // SAFETY: the thread is on a queue, and with the lock given back it
                // may sleep.
                false => unsafe { bindings::koru_wait_sleep(timeout) },
            };
            // SAFETY: `koru_wait_prepare` put the entry on this queue.
            let notified = unsafe { bindings::koru_wait_finish(queue, entry) != 0 };
            End {
                notified,
                remaining,
            }
        })
    }

    /// Gives the lock back, sleeps until notified, takes the lock again. Signals do
    /// not wake; for system calls there is [`Self::wait_interruptible`].
    ///
    /// Context: process context, with no other lock held that forbids sleeping; it sleeps.
    #[inline]
    pub fn wait<T: ?Sized, B: Backend>(&self, guard: &mut Guard<'_, T, B>) {
        self.wait_internal(Sleep::Uninterruptible, guard, FOREVER);
    }

    /// As [`Self::wait`], but a signal ends it, too. True if the system call should
    /// end, with `EINTR` or `ERESTARTSYS`.
    ///
    /// A notification is never lost: a waiter that was chosen by
    /// [`Self::notify_one`] gets false even if there is a signal as well, and learns of
    /// that the next time. So whoever gets true was not chosen, and need not pass
    /// anything on.
    ///
    /// Context: process context, with no other lock held that forbids sleeping; it sleeps.
    #[must_use = "a signal must end the system call"]
    #[inline]
    pub fn wait_interruptible<T: ?Sized, B: Backend>(&self, guard: &mut Guard<'_, T, B>) -> bool {
        self.wait_for_signal(Sleep::Interruptible, guard)
    }

    /// As [`Self::wait_interruptible`], and the waiting process does not keep the
    /// system from being suspended.
    ///
    /// Context: process context, with no other lock held that forbids sleeping; it sleeps.
    #[must_use = "a signal must end the system call"]
    #[inline]
    pub fn wait_interruptible_freezable<T: ?Sized, B: Backend>(
        &self,
        guard: &mut Guard<'_, T, B>,
    ) -> bool {
        self.wait_for_signal(Sleep::Freezable, guard)
    }

    fn wait_for_signal<T: ?Sized, B: Backend>(
        &self,
        sleep: Sleep,
        guard: &mut Guard<'_, T, B>,
    ) -> bool {
        // Who is not on the queue is not chosen.
        should_return() || {
            let end = self.wait_internal(sleep, guard, FOREVER);
            !end.notified && should_return()
        }
    }

    /// As [`Self::wait_interruptible`], for at most `jiffies` ticks. Who was notified
    /// gets [`CondVarTimeoutResult::Woken`], even if the time is over as well.
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
        let timeout = c_long::try_from(jiffies).unwrap_or(FOREVER);
        let end = self.wait_internal(Sleep::Interruptible, guard, timeout);
        match end.jiffies() {
            jiffies if end.notified => CondVarTimeoutResult::Woken { jiffies },
            jiffies if should_return() => CondVarTimeoutResult::Signal { jiffies },
            0 => CondVarTimeoutResult::Timeout,
            jiffies => CondVarTimeoutResult::Woken { jiffies },
        }
    }

    #[inline]
    fn notify(&self, count: c_int, sync: bool) {
        // SAFETY: the function wants a queue that was made, as the constructor did.
        unsafe { bindings::koru_wake_up(self.queue.object(), count, c_int::from(sync)) }
    }

    /// Wakes one waiter, if there is one. Nothing is remembered for later ones.
    ///
    /// Context: any but NMIs; it does not sleep.
    #[inline]
    pub fn notify_one(&self) {
        self.notify(1, false);
    }

    /// Wakes all who wait now.
    ///
    /// Context: any but NMIs; it does not sleep.
    #[inline]
    pub fn notify_all(&self) {
        self.notify(0, false);
    }

    /// As [`Self::notify_one`], and tells the scheduler that the caller is about to
    /// sleep, so that the other need not go to another CPU.
    ///
    /// Context: any but NMIs; it does not sleep.
    #[inline]
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

// SAFETY: a completion is of no thread.
unsafe impl Send for Completion {}
// SAFETY: the kernel's functions take the lock of its queue, so several threads may call
// them at once.
unsafe impl Sync for Completion {}

impl Completion {
    /// Makes one that has not happened.
    pub fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: `init_completion()` wants memory for a `struct completion` that is valid
            // for writes and stays where it is: the slot has its size and alignment, and the
            // value is pinned.
            inner <- Opaque::ffi_init(|slot| unsafe {
                bindings::koru_completion_init(layout::Completion::object(slot));
            }),
            _pin: PhantomPinned,
        })
    }

    /// It has happened: all who wait go on, and nobody waits any more. May be
    /// called in every context.
    #[inline]
    pub fn complete_all(&self) {
        // SAFETY: `complete_all()` wants a completion that was made, as the constructor did.
        unsafe { bindings::koru_complete_all(self.inner.object()) }
    }

    /// Sleeps until it has happened. Signals do not wake.
    ///
    /// Context: process context; it sleeps.
    #[inline]
    pub fn wait_for_completion(&self) {
        // SAFETY: the function wants a completion that was made, as the constructor did, and
        // that stays while it waits: `self` is borrowed.
        unsafe { bindings::koru_wait_for_completion(self.inner.object()) }
    }
}
