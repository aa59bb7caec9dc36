// SPDX-License-Identifier: GPL-2.0-only

//! Kernel threads.
//!
//! A [`KThread`] runs a closure and belongs to the owner of the value. Dropping it asks the thread
//! to stop, wakes it if it is waiting, and returns when the thread is gone. So neither the closure
//! nor what it owns outlives the owner, and a module whose threads are its fields can always be
//! unloaded.
//!
//! What the owner and the thread share belongs in an [`Arc`](crate::sync::Arc) beside the
//! `KThread`, not around it: if the closure holds the `Arc` that holds the thread, each keeps the
//! other, and nothing is ever dropped.
//!
//! The closure must check [`CurrentKThread::should_stop`] now and then, and wait by the methods of
//! [`CurrentKThread`], which return at once when the thread is to stop.
//!
//! C header: `include/linux/kthread.h`
//!
//! Reference: <https://docs.kernel.org/driver-api/basics.html#delaying-and-scheduling-routines>
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

use crate::alloc::{flags::GFP_KERNEL, KBox};
use crate::bindings;
use crate::error::{code::EINVAL, from_err_ptr, Result};
use crate::ffi::{c_int, c_long, c_void};
use crate::live::{Kind, Live};
use crate::sync::lock::{Backend, Guard};
use crate::sync::{condvar::SleepMode, CondVar};
use crate::task;
use crate::time::{Delta, Jiffies, HZ, NSEC_PER_SEC};
use core::ffi::CStr;
use core::mem::{replace, ManuallyDrop};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering};

/// A kernel thread whose closure returns a `T`.
///
/// # Dropping
///
/// Dropping the value, like [`Self::stop`], asks the thread to stop, wakes it if it waits by a
/// method of [`CurrentKThread`], and sleeps until it is gone. So it must be dropped where sleeping
/// is allowed: not in an interrupt, not in a probe's handler, and not with a spinlock held. A lock
/// that the thread still takes must not be held either, or both wait for ever. The task that drops
/// it cannot be killed meanwhile; after ten seconds a record in the kernel's log names the thread
/// that does not end.
///
/// If the last owner is the thread itself (its closure owns what owns the `KThread`), nobody can
/// wait for it there. The thread is then detached: [`CurrentKThread::should_stop`] is true from
/// then on, the closure's result is dropped, and the unloading of the module waits until the thread
/// is gone.
///
/// A `KThread` that is never dropped - leaked by [`mem::forget`](core::mem::forget), kept in a
/// static, or in an [`Arc`](crate::sync::Arc) cycle because the closure holds the `Arc` whose value
/// holds the `KThread` - never stops its thread. The module cannot be unloaded then; see
/// [`kernel::module`](crate::module).
///
/// # Invariants
///
/// `task` is a thread of `run`, of which this value holds a reference. `header` belongs to the
/// `Packet` that the thread runs, which is from a `KBox`, and `unpack` is the function of that
/// packet's type. Until the thread is gone only the thread accesses the packet, except for the
/// header.
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
pub struct KThread<T: Send + 'static = ()> {
    task: NonNull<bindings::task_struct>,
    header: NonNull<Header>,
    unpack: unsafe fn(NonNull<Header>) -> Option<T>,
    live: ManuallyDrop<Live>,
}

// SAFETY: any thread may call `kthread_stop()`, and by `T: Send` any thread may receive the
// closure's result.
unsafe impl<T: Send> Send for KThread<T> {}
// SAFETY: a shared reference gives access only to the header, which is atomic, and to the task's
// number, which does not change.
unsafe impl<T: Send> Sync for KThread<T> {}

/// The flags that the thread and its owner share while it runs.
struct Header {
    /// The closure has returned.
    finished: AtomicBool,
    /// The thread has dropped its own [`KThread`], so nobody waits for it.
    detached: AtomicBool,
}

/// What the thread runs.
///
/// The header is the first member, so that a pointer to the packet is also one to the header.
#[repr(C)]
struct Packet<F, T> {
    header: Header,
    state: State<F, T>,
}

enum State<F, T> {
    Waiting(F),
    Running,
    Done(T),
}

/// The function of the thread.
///
/// # Safety
///
/// `packet` must be a `Packet<F, T>` from a `KBox`, of which no other thread accesses more than the
/// header. Unless the thread is detached then, the owner must free it, and only once the thread is
/// gone.
unsafe extern "C" fn run<F: FnOnce(&CurrentKThread) -> T, T>(packet: *mut c_void) -> c_int {
    let packet = packet.cast::<Packet<F, T>>();
    // SAFETY: by this function's contract the packet is valid while the thread runs, and the header
    // is only ever shared.
    let header = unsafe { &(*packet).header };
    // SAFETY: by this function's contract the packet is valid, and no other thread accesses its
    // state; the borrow ends before the closure runs.
    let state = unsafe { &mut (*packet).state };
    if let State::Waiting(f) = replace(state, State::Running) {
        // INVARIANT: the packet exists while this thread runs the closure.
        let result = f(&CurrentKThread(NonNull::from(header)));
        if header.detached.load(Ordering::Relaxed) {
            drop(result);
            // SAFETY: the packet is from a `KBox` by this function's contract. The owner has left
            // it to this thread, which does not use it again.
            drop(unsafe { KBox::from_raw(packet) });
            // SAFETY: `koru_kthread_exit_detached()` is for a thread of `koru_kthread_run()` whose
            // reference nobody else puts: the owner left it when it set `detached`. Nothing is left
            // on the stack to be dropped.
            unsafe { bindings::koru_kthread_exit_detached() }
        }
        // SAFETY: by this function's contract the packet is valid, and no other thread accesses its
        // state.
        unsafe { (*packet).state = State::Done(result) };
    }
    header.finished.store(true, Ordering::Release);
    0
}

/// Frees a packet, and returns the closure's result.
///
/// # Safety
///
/// `header` must be that of a `Packet<F, T>` from a `KBox`. The thread must be gone, and the packet
/// must not be used again.
unsafe fn unpack<F, T>(header: NonNull<Header>) -> Option<T> {
    // SAFETY: the header is the packet's first member. By this function's contract the packet is
    // from a `KBox`, and nobody else uses it.
    let packet = unsafe { KBox::<Packet<F, T>>::from_raw(header.as_ptr().cast()) };
    match KBox::into_inner(packet).state {
        State::Done(result) => Some(result),
        // The closure never ran, or the thread died in it.
        State::Waiting(_) | State::Running => None,
    }
}

impl<T: Send + 'static> KThread<T> {
    /// Starts a thread that runs `f`.
    ///
    /// `ps` shows the thread by its `name`, of which the kernel keeps 15 characters.
    ///
    /// Context: process context; it may sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is no memory, `EINTR` if the calling process is being killed.
    pub fn spawn<F>(name: &CStr, f: F) -> Result<Self>
    where
        F: FnOnce(&CurrentKThread) -> T + Send + 'static,
    {
        let packet = Packet {
            header: Header {
                finished: AtomicBool::new(false),
                detached: AtomicBool::new(false),
            },
            state: State::Waiting(f),
        };
        let packet: *mut Packet<F, T> = KBox::into_raw(KBox::new(packet, GFP_KERNEL)?);
        // This is counted before the thread can drop the `KThread` that is made here.
        let live = Live::new(Kind::Thread);
        // SAFETY: `koru_kthread_run()` takes a C string, which it copies, and a function with its
        // argument. `run` is that of this packet's type, and by the type's invariant the packet
        // stays until the thread is gone.
        let task = unsafe {
            bindings::koru_kthread_run(Some(run::<F, T>), packet.cast(), name.as_ptr().cast())
        };
        match from_err_ptr(task).and_then(|task| NonNull::new(task).ok_or(EINVAL)) {
            // INVARIANT: the thread runs `run` with this packet, and `koru_kthread_run()` took a
            // reference for its caller.
            Ok(task) => Ok(Self {
                task,
                // SAFETY: a pointer from a box is not null.
                header: unsafe { NonNull::new_unchecked(packet.cast()) },
                unpack: unpack::<F, T>,
                live: ManuallyDrop::new(live),
            }),
            Err(error) => {
                // SAFETY: the pointer is from a `KBox`, and no thread was started that could use
                // it.
                drop(unsafe { KBox::from_raw(packet) });
                Err(error)
            }
        }
    }

    /// Stops the thread, and returns the closure's result.
    ///
    /// The result is `None` if the thread was stopped before it ran, or is the calling thread.
    ///
    /// Context: process context; it sleeps until the thread is gone. [Above](Self#dropping) are the
    /// places where it must not be called.
    pub fn stop(self) -> Option<T> {
        ManuallyDrop::new(self).join()
    }

    /// Returns whether the closure has returned by itself.
    ///
    /// Context: any.
    pub fn is_finished(&self) -> bool {
        self.header().finished.load(Ordering::Acquire)
    }

    /// Returns the number of the thread, for messages.
    ///
    /// Context: any.
    pub fn pid(&self) -> task::Pid {
        // SAFETY: `koru_task_pid()` needs a task that is not freed: by the type's invariant this
        // value holds a reference to it.
        unsafe { bindings::koru_task_pid(self.task.as_ptr()) }
    }

    fn header(&self) -> &Header {
        // SAFETY: by the type's invariant the packet exists as long as this value, and its header
        // is only ever shared.
        unsafe { self.header.as_ref() }
    }

    /// Stops the thread and waits for it, or detaches it if it is the calling one.
    ///
    /// This is the last use of the value.
    fn join(&mut self) -> Option<T> {
        // SAFETY: `koru_current()` may be called in any context.
        let me = unsafe { bindings::koru_current() };
        if me == self.task.as_ptr() {
            // It would wait for its own end. The thread stays counted until it is gone.
            self.header().detached.store(true, Ordering::Relaxed);
            return None;
        }
        // SAFETY: `koru_kthread_stop()` consumes the reference that this value holds by its
        // invariant; the caller may sleep, and is not the thread itself.
        unsafe { bindings::koru_kthread_stop(self.task.as_ptr()) };
        // SAFETY: by the type's invariant `unpack` is for the packet that `header` belongs to. The
        // thread is gone, and `join` is the last use.
        let result = unsafe { (self.unpack)(self.header) };
        // SAFETY: `join` is the last use of the value, so `live` is not dropped again.
        unsafe { ManuallyDrop::drop(&mut self.live) };
        result
    }
}

impl<T: Send + 'static> Drop for KThread<T> {
    fn drop(&mut self) {
        drop(self.join());
    }
}

/// The kernel thread that is running this code: how it waits, and when it should stop.
///
/// # Invariants
///
/// The pointer is that of the calling thread's packet, which exists while the closure runs. (The
/// pointer also keeps the value on its thread.)
///
/// # Examples
///
/// ```
/// use kernel::{kthread::CurrentKThread, time::Delta};
/// fn body(thread: &CurrentKThread) -> u64 {
///     let mut turns = 0;
///     while thread.sleep(Delta::from_millis(100)) {
///         turns += 1;
///     }
///     turns
/// }
/// ```
pub struct CurrentKThread(NonNull<Header>);

/// The reason why [`CurrentKThread::wait_timeout`] returned.
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
    /// The thread was notified, or woken for no reason.
    Woken {
        /// The ticks that remain.
        jiffies: Jiffies,
    },
    /// The time is over.
    Timeout,
    /// The thread should stop.
    Stop,
}

impl CurrentKThread {
    /// Returns whether the thread should stop: its owner is dropping it, or it dropped its own
    /// [`KThread`].
    ///
    /// Once true, it stays true.
    ///
    /// Context: any.
    pub fn should_stop(&self) -> bool {
        // SAFETY: by the type's invariant the header exists while the closure runs, and is only
        // ever shared.
        let detached = unsafe { &self.0.as_ref().detached };
        // SAFETY: `koru_kthread_should_stop()` is for kernel threads, and only threads of
        // `koru_kthread_run()` have a `CurrentKThread`.
        detached.load(Ordering::Relaxed) || unsafe { bindings::koru_kthread_should_stop() != 0 }
    }

    /// Sleeps for at least `delta`, and returns whether the thread should continue.
    ///
    /// The time is rounded up to ticks of the timer. The sleep ends at once when the thread should
    /// stop. If there is no time to sleep, the thread still yields the CPU to others that wait for
    /// it.
    #[must_use = "the thread must stop if this is false"]
    pub fn sleep(&self, delta: Delta) -> bool {
        // Only the thread itself can detach it, so that cannot happen while it sleeps.
        if !self.should_stop() {
            // SAFETY: `koru_kthread_sleep()` is for kernel threads that may sleep. This is one, and
            // the caller must have released all locks that forbid sleeping.
            unsafe { bindings::koru_kthread_sleep(ticks(delta)) };
        }
        !self.should_stop()
    }

    /// Releases the lock, sleeps until notified, and takes the lock again; returns whether the
    /// thread should continue.
    ///
    /// The result is true if the thread was notified or should check the condition again, because
    /// it may have woken for no reason. It is false if the thread should stop, which ends the sleep
    /// at once.
    ///
    /// A notification is never lost: a thread that [`CondVar::notify_one`] chose returns true, and
    /// learns about the stop the next time.
    #[must_use = "the thread must stop if this is false"]
    pub fn wait<T: ?Sized, B: Backend>(&self, var: &CondVar, guard: &mut Guard<'_, T, B>) -> bool {
        !self.should_stop() && {
            let end = var.wait_internal(SleepMode::KThread, guard, c_long::MAX);
            end.notified || !self.should_stop()
        }
    }

    /// Waits as [`Self::wait`] does, for at most `jiffies` ticks.
    ///
    /// A thread that was notified returns [`Wake::Woken`], even if the time is over or the thread
    /// should stop.
    #[must_use = "the thread must stop if this is `Wake::Stop`"]
    pub fn wait_timeout<T: ?Sized, B: Backend>(
        &self,
        var: &CondVar,
        guard: &mut Guard<'_, T, B>,
        jiffies: Jiffies,
    ) -> Wake {
        if self.should_stop() {
            return Wake::Stop;
        }
        let timeout = c_long::try_from(jiffies).unwrap_or(c_long::MAX);
        let end = var.wait_internal(SleepMode::KThread, guard, timeout);
        match end.jiffies() {
            jiffies if end.notified => Wake::Woken { jiffies },
            _ if self.should_stop() => Wake::Stop,
            0 => Wake::Timeout,
            jiffies => Wake::Woken { jiffies },
        }
    }
}

/// Returns the number of ticks that take at least `delta`: rounded up, and one more for the tick
/// that has begun.
///
/// Longer times are capped where differences of ticks still work.
fn ticks(delta: Delta) -> Jiffies {
    if delta.is_negative() || delta.is_zero() {
        return 0;
    }
    let nanos = delta.as_nanos().unsigned_abs();
    let tick = NSEC_PER_SEC.unsigned_abs() / HZ as u64;
    // 2^63 nanoseconds are at most 2^43 ticks.
    (nanos.div_ceil(tick) + 1) as Jiffies
}
