// SPDX-License-Identifier: GPL-2.0-only

//! The queues.

use super::work::{RawDelayedWorkItem, RawWorkItem};
use crate::bindings;
use crate::ffi::c_int;
use crate::layout;
use crate::pending::Pending;
use crate::time::Jiffies;
use crate::types::Opaque;

/// A work queue: C's `struct workqueue_struct`.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, workqueue::{self, Queue}};
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// fn greet(queue: &Queue) -> Result {
///     Ok(queue.try_spawn(GFP_KERNEL, || pr_info!("hello\n"))?)
/// }
/// # fn later() -> Result { greet(workqueue::system()) }
/// # fn main() {}
/// ```
#[doc(alias = "workqueue_struct")]
#[repr(transparent)]
pub struct Queue(Opaque<bindings::workqueue_struct>);

// SAFETY: any thread may queue work, and no thread owns a queue.
unsafe impl Send for Queue {}
// SAFETY: the kernel's functions for queueing take the locks of the queue, so several threads may
// call them at once.
unsafe impl Sync for Queue {}

impl Queue {
    /// Wraps a `struct workqueue_struct *`.
    ///
    /// # Safety
    ///
    /// `ptr` must be that of a work queue that stays valid during `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::workqueue_struct) -> &'a Queue {
        // SAFETY: by this function's contract the queue is valid during `'a`. An `Opaque` assumes
        // nothing about the memory that it is in.
        unsafe { &*ptr.cast() }
    }

    #[inline]
    fn as_ptr(&self) -> *mut bindings::workqueue_struct {
        self.0.get()
    }

    /// Queues a work item, to run as soon as a thread is free.
    ///
    /// An `Arc` is given back if it is queued already, or if the module is being unloaded. A work
    /// item that runs may be queued again. A `Pin<KBox<T>>` cannot be queued already, so nothing is
    /// returned; it is dropped if the module is being unloaded.
    ///
    /// Context: any but NMIs; it does not sleep.
    #[doc(alias = "queue_work")]
    pub fn enqueue<W, const ID: u64>(&self, w: W) -> W::EnqueueOutput
    where
        W: RawWorkItem<ID> + Send + 'static,
    {
        let queue_work = |work| {
            count(|| {
                // SAFETY: `queue_work_on()` takes a queue, which `self` is, and an initialised work
                // that stays valid until it runs, which the contract of `__enqueue` guarantees. Any
                // thread may run it, because the item is `Send` and borrows nothing.
                unsafe { bindings::queue_work_on(ANY_CPU, self.as_ptr(), work) }
            })
        };
        // SAFETY: the closure returns whether the work was queued. The item is `Send`, and borrows
        // nothing, so it may run in any thread and at any time.
        unsafe { w.__enqueue(queue_work) }
    }

    /// Queues a work item, to run once `delay` ticks have passed.
    ///
    /// Everything else is as with [`Self::enqueue`]. A delay of 0 means as soon as possible.
    ///
    /// Context: any but NMIs; it does not sleep.
    #[doc(alias = "queue_delayed_work")]
    pub fn enqueue_delayed<W, const ID: u64>(&self, w: W, delay: Jiffies) -> W::EnqueueOutput
    where
        W: RawDelayedWorkItem<ID> + Send + 'static,
    {
        let queue_work = |work: *mut bindings::work_struct| {
            count(|| {
                // SAFETY: `queue_delayed_work_on()` takes a queue, which `self` is, and an
                // initialised delayed work that stays valid until it runs. The contracts of
                // `__enqueue` and of `RawDelayedWorkItem` guarantee that: the work is the first
                // field of one. Any thread may run it, because the item is `Send` and borrows
                // nothing.
                unsafe {
                    bindings::queue_delayed_work_on(ANY_CPU, self.as_ptr(), work.cast(), delay)
                }
            })
        };
        // SAFETY: the closure returns whether the work was queued. The item is `Send`, and borrows
        // nothing, so it may run in any thread and at any time.
        unsafe { w.__enqueue(queue_work) }
    }
}

/// The number that lets the kernel choose the CPU, `WORK_CPU_UNBOUND`.
const ANY_CPU: c_int = layout::WORK_CPU_UNBOUND as c_int;

/// Counts the work if `queue` queues it, and returns whether it did.
#[inline]
fn count(queue: impl FnOnce() -> bool) -> bool {
    let Some(pending) = Pending::new() else {
        return false;
    };
    let queued = queue();
    if queued {
        // The work drops it when it has run.
        core::mem::forget(pending);
    }
    queued
}

macro_rules! system_queues {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// Context: any.
        ///
        /// # Examples
        ///
        /// ```
        /// use kernel::{prelude::*, workqueue};
        /// fn later(f: impl FnOnce() + Send + 'static) -> Result {
        #[doc = concat!("    Ok(workqueue::", stringify!($name), "().try_spawn(GFP_KERNEL, f)?)")]
        /// }
        /// ```
        pub fn $name() -> &'static Queue {
            // SAFETY: the function takes the number of one of the kernel's own queues, which exist
            // as long as the kernel runs.
            unsafe { Queue::from_raw(bindings::koru_system_queue($number)) }
        }
    )*};
}

system_queues! {
    /// Returns the queue for work that does not take long.
    #[doc(alias = "system_wq")]
    system = 0;
    /// Returns the queue whose threads have a high priority.
    #[doc(alias = "system_highpri_wq")]
    system_highpri = 1;
    /// Returns the queue for work that may take long.
    #[doc(alias = "system_long_wq")]
    system_long = 2;
    /// Returns the queue whose work runs at once, on any CPU.
    #[doc(alias = "system_unbound_wq")]
    system_unbound = 3;
    /// Returns the queue whose work does not run while the system is suspended.
    #[doc(alias = "system_freezable_wq")]
    system_freezable = 4;
    /// Returns the queue that may run work on any CPU to save power.
    #[doc(alias = "system_power_efficient_wq")]
    system_power_efficient = 5;
    /// Returns the queue that saves power, and whose work does not run while the system is
    /// suspended.
    #[doc(alias = "system_freezable_power_efficient_wq")]
    system_freezable_power_efficient = 6;
}
