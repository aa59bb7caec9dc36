// SPDX-License-Identifier: GPL-2.0-only

//! Kernel threads.
//!
//! A [`KThread`] runs a closure and belongs to whoever has the value: dropping it
//! asks the thread to stop, wakes it from what it waits for, and returns when it is
//! gone. So neither the closure nor what it owns outlives the owner, and a module
//! whose threads are fields of it can always be unloaded.
//!
//! What the owner and the thread share belongs into an [`Arc`](crate::sync::Arc) beside
//! the `KThread`, not around it: if the closure holds the `Arc` that holds the thread,
//! each keeps the other, and nothing is ever dropped.
//!
//! The thread's part is to look at [`CurrentKThread::should_stop`] now and then, and to
//! wait by [`CurrentKThread`]'s methods, which a stop ends at once.
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
use crate::live::{Kind, Live};
use crate::sync::lock::{Backend, Guard};
use crate::sync::{condvar::Sleep, CondVar};
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
/// Dropping it, like [`Self::stop`], asks the thread to stop, wakes it if it waits
/// by a method of [`CurrentKThread`], and sleeps until it is gone. So it may be dropped
/// where sleeping is allowed only: not in an interrupt, not in a probe's handler, not
/// while a spinlock is held. A lock that the thread still takes must not be held
/// either, or both wait for ever. Whoever drops it cannot be killed meanwhile; after ten
/// seconds a record in the kernel's log says which thread it is that does not end.
///
/// If the last owner is the thread itself (its closure owns what owns the `KThread`),
/// nobody can wait for it there. The thread then goes on by itself, with
/// [`CurrentKThread::should_stop`] true from now on; what its closure returns is dropped; and
/// the module's unloading waits until it is gone.
///
/// A `KThread` that is never dropped - leaked by [`mem::forget`](core::mem::forget),
/// kept in a static, or in an [`Arc`](crate::sync::Arc) cycle because the closure holds
/// the `Arc` whose value holds the `KThread` - never stops its thread. The
/// module cannot be unloaded then; see [`kernel::module`](crate::module).
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
/// `task` is a thread of `run` with a reference of ours. `header` is that of the
/// `Packet` which it runs, from a `KBox`, and `unpack` is that packet's. Until the
/// thread is gone it alone touches the packet, but for the header.
pub struct KThread<T: Send + 'static = ()> {
    task: NonNull<bindings::task_struct>,
    header: NonNull<Header>,
    unpack: unsafe fn(NonNull<Header>) -> Option<T>,
    live: ManuallyDrop<Live>,
}

// SAFETY: `kthread_stop()` may be called by every thread, and `T: Send` says that
// what it gives back may be received by any.
unsafe impl<T: Send> Send for KThread<T> {}
// SAFETY: by a shared reference only the header, which is atomic, and the task's
// number, which does not change, are read.
unsafe impl<T: Send> Sync for KThread<T> {}

/// What the thread and its owner look at while it runs.
struct Header {
    /// The closure has returned.
    finished: AtomicBool,
    /// The thread has dropped its own [`KThread`], so nobody waits for it.
    detached: AtomicBool,
}

/// What the thread runs. The header is first, so that a pointer to the packet is one
/// to it.
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

/// The thread's function.
///
/// # Safety
///
/// `packet` is a `Packet<F, T>` from a `KBox`, of which no other thread touches more
/// than the header, and which is freed by the thread's owner once the thread is gone,
/// or by this function if it is alone then.
unsafe extern "C" fn run<F: FnOnce(&CurrentKThread) -> T, T>(packet: *mut c_void) -> c_int {
    let packet = packet.cast::<Packet<F, T>>();
    // SAFETY: the packet is valid while the thread runs, and the header is only
    // ever shared.
    let header = unsafe { &(*packet).header };
    // SAFETY: the packet is valid, and no other thread touches its state; the borrow
    // ends before the closure runs.
    let state = unsafe { &mut (*packet).state };
    if let State::Waiting(f) = replace(state, State::Running) {
        let result = f(&CurrentKThread(NonNull::from(header)));
        if header.detached.load(Ordering::Relaxed) {
            drop(result);
            // SAFETY: it is from a `KBox`, and its owner has left it to this thread,
            // which uses it for the last time.
            drop(unsafe { KBox::from_raw(packet) });
            // SAFETY: this is a thread of `koru_kthread_run()`, whose reference
            // nobody else will put, and nothing is left on its stack to be dropped.
            unsafe { bindings::koru_kthread_exit_detached() }
        }
        // SAFETY: the packet is valid, and no other thread touches its state.
        unsafe { (*packet).state = State::Done(result) };
    }
    header.finished.store(true, Ordering::Release);
    0
}

/// Takes a packet apart, and gives what the closure returned.
///
/// # Safety
///
/// `header` is that of a `Packet<F, T>` from a `KBox`; the thread is gone, and this is
/// the last use.
unsafe fn unpack<F, T>(header: NonNull<Header>) -> Option<T> {
    // SAFETY: the header is the packet's first member, and the packet is from a
    // `KBox` and used by nobody else, as the caller says.
    let packet = unsafe { KBox::<Packet<F, T>>::from_raw(header.as_ptr().cast()) };
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
        // Before the thread can drop what is made of it here.
        let live = Live::new(Kind::Thread);
        // SAFETY: the name is a C string, which is copied. `run` is of this packet's
        // type, and by the type's invariant the packet stays until the thread is gone.
        let task = unsafe {
            bindings::koru_kthread_run(Some(run::<F, T>), packet.cast(), name.as_ptr().cast())
        };
        match from_err_ptr(task).and_then(|task| NonNull::new(task).ok_or(EINVAL)) {
            Ok(task) => Ok(Self {
                task,
                // SAFETY: a pointer from a box is not null.
                header: unsafe { NonNull::new_unchecked(packet.cast()) },
                unpack: unpack::<F, T>,
                live: ManuallyDrop::new(live),
            }),
            Err(error) => {
                // SAFETY: it comes from a `KBox`, and no thread was made to use it.
                drop(unsafe { KBox::from_raw(packet) });
                Err(error)
            }
        }
    }

    /// Stops the thread, and gives what its closure returned. Sleeps until it is gone;
    /// see [above](Self#dropping) for where it may be called.
    ///
    /// `None` if the thread was stopped before it ran at all, or is the one that calls
    /// this.
    pub fn stop(self) -> Option<T> {
        ManuallyDrop::new(self).join()
    }

    /// Whether the closure has returned by itself. For every context.
    pub fn is_finished(&self) -> bool {
        self.header().finished.load(Ordering::Acquire)
    }

    /// The thread's number, for messages. For every context.
    pub fn pid(&self) -> task::Pid {
        // SAFETY: by the type's invariant there is a reference to the task.
        unsafe { bindings::koru_task_pid(self.task.as_ptr()) }
    }

    fn header(&self) -> &Header {
        // SAFETY: by the type's invariant the packet is there for as long as this
        // value, and its header is only ever shared.
        unsafe { self.header.as_ref() }
    }

    /// The last use: ends the thread, or leaves it to itself.
    fn join(&mut self) -> Option<T> {
        // SAFETY: may be called in every context.
        let me = unsafe { bindings::koru_current() };
        if me == self.task.as_ptr() {
            // It would wait for its own end. It stays counted, until it is gone.
            self.header().detached.store(true, Ordering::Relaxed);
            return None;
        }
        // SAFETY: by the type's invariant there is a reference, which this ends; the
        // caller may sleep, and is not the thread itself.
        unsafe { bindings::koru_kthread_stop(self.task.as_ptr()) };
        // SAFETY: by the type's invariant the header is that of a packet of this
        // kind. The thread is gone, and `join` is the last use.
        let result = unsafe { (self.unpack)(self.header) };
        // SAFETY: `join` is the last use, so it is not dropped again.
        unsafe { ManuallyDrop::drop(&mut self.live) };
        result
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
/// use kernel::{kthread::CurrentKThread, time::Delta};
/// fn body(thread: &CurrentKThread) -> u64 {
///     let mut turns = 0;
///     while thread.sleep(Delta::from_millis(100)) {
///         turns += 1;
///     }
///     turns
/// }
/// ```
///
/// # Invariants
///
/// The pointer is that of the calling thread's packet, which stays while the closure
/// runs. (It also keeps the value in its thread.)
pub struct CurrentKThread(NonNull<Header>);

/// How [`CurrentKThread::wait_timeout`] ended.
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

impl CurrentKThread {
    /// Whether the thread should end: its owner drops it, or it dropped its own
    /// [`KThread`]. Once true, it stays so. For every context.
    pub fn should_stop(&self) -> bool {
        // SAFETY: by the type's invariant.
        let detached = unsafe { &self.0.as_ref().detached };
        // SAFETY: there is a `CurrentKThread` in threads of `koru_kthread_run()` only.
        detached.load(Ordering::Relaxed) || unsafe { bindings::koru_kthread_should_stop() != 0 }
    }

    /// Sleeps at least `delta`, in ticks of the timer; a stop ends it at once. True
    /// if the thread is to go on. Without a time to sleep it still lets others run
    /// that wait for the CPU.
    #[must_use = "false means: stop"]
    pub fn sleep(&self, delta: Delta) -> bool {
        // Only the thread itself can be what left it alone, so not while it sleeps.
        if !self.should_stop() {
            // SAFETY: this is a kernel thread. Its function may sleep, for the locks that
            // forbid it are the caller's to give back.
            unsafe { bindings::koru_kthread_sleep(ticks(delta)) };
        }
        !self.should_stop()
    }

    /// Gives the lock back, sleeps until notified, takes the lock again; a stop
    /// ends it at once. True if the thread was notified or should look again, for it
    /// may have woken for no reason; false if it should stop.
    ///
    /// A notification is never lost: who was chosen by
    /// [`CondVar::notify_one`] gets true, and learns of the stop the next time.
    #[must_use = "false means: stop"]
    pub fn wait<T: ?Sized, B: Backend>(&self, var: &CondVar, guard: &mut Guard<'_, T, B>) -> bool {
        !self.should_stop() && {
            let end = var.wait_internal(Sleep::KThread, guard, c_long::MAX);
            end.notified || !self.should_stop()
        }
    }

    /// As [`Self::wait`], for at most `jiffies` ticks. Who was notified gets
    /// [`Wake::Woken`], even if the time is over or the thread should stop.
    #[must_use = "it may be to stop"]
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
        let end = var.wait_internal(Sleep::KThread, guard, timeout);
        match end.jiffies() {
            jiffies if end.notified => Wake::Woken { jiffies },
            _ if self.should_stop() => Wake::Stop,
            0 => Wake::Timeout,
            jiffies => Wake::Woken { jiffies },
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
