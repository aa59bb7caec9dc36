// SPDX-License-Identifier: GPL-2.0-only

//! Kernel threads.
//!
//! A [`KThread`] runs a closure and belongs to whoever has the value: dropping it
//! asks the thread to stop, wakes it from what it waits for, and returns when it is
//! gone. So neither the closure nor what it owns outlives the owner, and a module
//! whose threads are fields of it can always be unloaded.
//!
//! The thread's part is to look at [`Running::should_stop`] now and then, and to
//! wait by [`Running`]'s methods, which a stop ends at once.
//!
//! # Examples
//!
//! ```
//! use kernel::{kthread::KThread, prelude::*, time::Delta};
//! # const __LOG_PREFIX: &[u8] = b"example\0";
//!
//! struct Heart {
//!     beats: KThread<u32>,
//! }
//!
//! impl Heart {
//!     fn start() -> Result<Self> {
//!         let beats = KThread::spawn(c"heart", |thread| {
//!             let mut count = 0;
//!             while thread.sleep(Delta::from_secs(1)) {
//!                 count += 1;
//!             }
//!             count
//!         })?;
//!         Ok(Heart { beats })
//!     }
//!
//!     fn stop(self) {
//!         if let Some(count) = self.beats.stop() {
//!             pr_info!("{count} beats\n");
//!         }
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! C header: [`include/linux/kthread.h`](https://docs.kernel.org/driver-api/basics.html#delaying-and-scheduling-routines)

use crate::alloc::{flags::GFP_KERNEL, KBox};
use crate::bindings;
use crate::error::{code::EINVAL, from_err_ptr, Result};
use crate::ffi::{c_int, c_long, c_void};
use crate::sync::lock::{Backend, Guard};
use crate::sync::{condvar::Sleep, CondVar};
use crate::task;
use crate::time::{Delta, Jiffies, HZ, NSEC_PER_SEC};
use crate::types::NotThreadSafe;
use core::ffi::CStr;
use core::mem::{replace, ManuallyDrop};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering};

/// A running kernel thread whose closure returns a `T`. Dropping it stops the
/// thread and waits for its end.
///
/// Like everything that a module registers, it must not be leaked
/// (`mem::forget`): nothing else stops the thread before the module's code goes.
///
/// # Examples
///
/// ```
/// use kernel::{kthread::KThread, prelude::*};
/// fn add() -> Result<Option<u32>> {
///     let thread = KThread::spawn(c"adder", |_| 2 + 2)?;
///     Ok(thread.stop())
/// }
/// ```
///
/// # Invariants
///
/// `task` is a thread of [`run`] with a reference of ours; `packet` is the
/// `Packet` that it runs, from a `KBox`, and `unpack` is that packet's. Until the
/// thread is gone it alone touches the packet, but for `finished`.
pub struct KThread<T: Send + 'static = ()> {
    task: NonNull<bindings::task_struct>,
    packet: NonNull<AtomicBool>,
    unpack: unsafe fn(NonNull<AtomicBool>) -> Option<T>,
}

// SAFETY: every thread may stop it, and `T` may be received by any.
unsafe impl<T: Send> Send for KThread<T> {}
// SAFETY: by a shared reference only `finished` and the task's number are read.
unsafe impl<T: Send> Sync for KThread<T> {}

/// What the thread and its owner share. `finished` is first, so that a pointer to
/// the packet is one to it.
#[repr(C)]
struct Packet<F, T> {
    finished: AtomicBool,
    state: State<F, T>,
}

enum State<F, T> {
    Waiting(F),
    Running,
    Done(T),
}

/// # Safety
///
/// `packet` is a `Packet<F, T>` that no other thread touches, but for `finished`.
unsafe extern "C" fn run<F: FnOnce(&Running) -> T, T>(packet: *mut c_void) -> c_int {
    let packet = packet.cast::<Packet<F, T>>();
    // SAFETY: as the caller says; the borrow ends before the closure runs.
    let state = unsafe { &mut (*packet).state };
    if let State::Waiting(f) = replace(state, State::Running) {
        let result = f(&Running(NotThreadSafe));
        // SAFETY: as the caller says.
        unsafe { (*packet).state = State::Done(result) };
    }
    // SAFETY: as the caller says.
    unsafe { (*packet).finished.store(true, Ordering::Release) };
    0
}

/// # Safety
///
/// `packet` is a `Packet<F, T>` from a `KBox`, the thread is gone, and this is
/// the last use.
unsafe fn unpack<F, T>(packet: NonNull<AtomicBool>) -> Option<T> {
    // SAFETY: as the caller says.
    let packet = unsafe { KBox::<Packet<F, T>>::from_raw(packet.as_ptr().cast()) };
    match KBox::into_inner(packet).state {
        State::Done(result) => Some(result),
        // It never ran, or died on the way.
        State::Waiting(_) | State::Running => None,
    }
}

impl<T: Send + 'static> KThread<T> {
    /// Starts a thread. `name` is what `ps` shows, of which the kernel keeps 15
    /// characters. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `EINTR` if the calling process is being killed.
    pub fn spawn<F>(name: &CStr, f: F) -> Result<Self>
    where
        F: FnOnce(&Running) -> T + Send + 'static,
    {
        let packet = Packet {
            finished: AtomicBool::new(false),
            state: State::Waiting(f),
        };
        let packet: *mut Packet<F, T> = KBox::into_raw(KBox::new(packet, GFP_KERNEL)?);
        // SAFETY: `run` is of this packet's type. It stays until the thread is
        // gone, by the type's invariant.
        let task = unsafe {
            bindings::koru_kthread_spawn(Some(run::<F, T>), packet.cast(), name.as_ptr().cast())
        };
        match from_err_ptr(task).and_then(|task| NonNull::new(task).ok_or(EINVAL)) {
            Ok(task) => Ok(Self {
                task,
                // SAFETY: it comes from a box.
                packet: unsafe { NonNull::new_unchecked(packet.cast()) },
                unpack: unpack::<F, T>,
            }),
            Err(error) => {
                // SAFETY: no thread has it.
                drop(unsafe { KBox::from_raw(packet) });
                Err(error)
            }
        }
    }

    /// Stops the thread, and gives what its closure returned: `None` if it was
    /// stopped before it ran at all. Sleeps until it is gone.
    pub fn stop(self) -> Option<T> {
        ManuallyDrop::new(self).join()
    }

    /// Whether the closure has returned by itself.
    pub fn is_finished(&self) -> bool {
        // SAFETY: by the type's invariant it is there, and may be read.
        unsafe { self.packet.as_ref() }.load(Ordering::Acquire)
    }

    /// The thread's number, for messages.
    pub fn pid(&self) -> task::Pid {
        // SAFETY: by the type's invariant the task is there.
        unsafe { bindings::koru_task_pid(self.task.as_ptr()) }
    }

    /// The last use.
    fn join(&mut self) -> Option<T> {
        // SAFETY: may be called everywhere.
        let me = unsafe { bindings::koru_current() };
        // It would wait for its own end.
        assert!(me != self.task.as_ptr(), "a thread stops itself");
        // SAFETY: by the type's invariant there is a reference, which this ends.
        unsafe { bindings::koru_kthread_stop(self.task.as_ptr()) };
        // SAFETY: by the type's invariant; the thread is gone.
        unsafe { (self.unpack)(self.packet) }
    }
}

impl<T: Send + 'static> Drop for KThread<T> {
    fn drop(&mut self) {
        drop(self.join());
    }
}

/// The thread, to itself: how it waits, and when to stop.
///
/// # Examples
///
/// ```
/// use kernel::{kthread::Running, time::Delta};
/// fn body(thread: &Running) -> u64 {
///     let mut turns = 0;
///     while thread.sleep(Delta::from_millis(100)) {
///         turns += 1;
///     }
///     turns
/// }
/// ```
pub struct Running(NotThreadSafe);

/// How [`Running::wait_timeout`] ended.
///
/// # Examples
///
/// ```
/// use kernel::kthread::Wake;
/// fn goes_on(wake: Wake) -> bool {
///     !matches!(wake, Wake::Stop)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Notified, or woken for no reason.
    Woken {
        /// The ticks that are left.
        jiffies: Jiffies,
    },
    /// The time is over.
    Timeout,
    /// The thread is to stop.
    Stop,
}

impl Running {
    /// Whether the owner wants the thread to end. Once true, it stays so.
    pub fn should_stop(&self) -> bool {
        // SAFETY: there is a `Running` in threads of `run` only.
        unsafe { bindings::koru_kthread_should_stop() != 0 }
    }

    /// Sleeps at least `delta`, in ticks of the timer; a stop ends it at once. True
    /// if the thread is to go on.
    #[must_use = "false means: stop"]
    pub fn sleep(&self, delta: Delta) -> bool {
        // SAFETY: in a thread of `run`, which may sleep.
        unsafe { bindings::koru_kthread_sleep(ticks(delta)) };
        !self.should_stop()
    }

    /// Gives the lock back, sleeps until notified, takes the lock again; a stop
    /// ends it at once. True if the thread is to go on; it may have woken for no
    /// reason.
    #[must_use = "false means: stop"]
    pub fn wait<T: ?Sized, B: Backend>(&self, var: &CondVar, guard: &mut Guard<'_, T, B>) -> bool {
        var.wait_internal(Sleep::KThread, guard, c_long::MAX);
        !self.should_stop()
    }

    /// The same for at most `jiffies` ticks.
    #[must_use = "it may be to stop"]
    pub fn wait_timeout<T: ?Sized, B: Backend>(
        &self,
        var: &CondVar,
        guard: &mut Guard<'_, T, B>,
        jiffies: Jiffies,
    ) -> Wake {
        let timeout = c_long::try_from(jiffies).unwrap_or(c_long::MAX);
        let left = var.wait_internal(Sleep::KThread, guard, timeout);
        if self.should_stop() {
            return Wake::Stop;
        }
        match Jiffies::try_from(left) {
            Ok(0) | Err(_) => Wake::Timeout,
            Ok(jiffies) => Wake::Woken { jiffies },
        }
    }
}

/// Ticks that are at least this long: rounded up, and one for the tick that is
/// under way. For ever is capped where differences of ticks still work.
fn ticks(delta: Delta) -> Jiffies {
    if delta.is_negative() || delta.is_zero() {
        return 0;
    }
    let nanos = delta.as_nanos().unsigned_abs();
    let tick = NSEC_PER_SEC.unsigned_abs() / HZ as u64;
    // 2^63 nanoseconds are 2^43 ticks at most.
    (nanos.div_ceil(tick) + 1) as Jiffies
}
