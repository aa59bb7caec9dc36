// SPDX-License-Identifier: GPL-2.0-only

//! Tasks: processes and threads.
//!
//! What the kernel calls a task, user space calls a thread.
//!
//! C header: `include/linux/sched.h`

use crate::bindings;
use crate::ffi::{c_int, c_uint};
use crate::sync::aref::{ARef, AlwaysRefCounted};
use crate::types::{NotThreadSafe, Opaque};
use core::ops::Deref;
use core::panic::Location;
use core::ptr::NonNull;

/// The number of a process or thread, as user space sees it: C's `pid_t`.
///
/// [`pid::Pid`](crate::pid::Pid) identifies a process for longer.
pub type Pid = c_int;

/// A kernel user ID: C's `kuid_t`.
///
/// The number means the same in every user namespace.
///
/// # Examples
///
/// ```
/// use kernel::{current, task::Kuid};
/// fn own(task: &kernel::task::Task) -> bool {
///     task.euid() == Kuid::current_euid()
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Kuid(c_uint);

impl Kuid {
    /// Returns the effective user ID of the current task.
    ///
    /// Context: any but NMIs.
    #[inline]
    pub fn current_euid() -> Self {
        crate::current!().euid()
    }

    /// Returns the number of the user in the user namespace of the current task, as `getuid` shows
    /// it.
    ///
    /// It is `u32::MAX` for a user who has no number there.
    ///
    /// Context: any but NMIs.
    #[inline]
    pub fn into_uid_in_current_ns(self) -> u32 {
        // SAFETY: `from_kuid()` takes any number, and the credentials of `current` hold its
        // namespace.
        unsafe { bindings::koru_uid_in_current_ns(self.0) }
    }
}

/// A task: C's `struct task_struct`.
///
/// [`current!`](crate::current!) borrows the task that is running. An [`ARef<Task>`](ARef) keeps a
/// task, dead or alive, whose number may be reused meanwhile. To recognise a process later, keep
/// [`Self::process`].
///
/// Dropping the last `ARef<Task>` frees the task. It may be done in any context but NMIs; on
/// PREEMPT_RT only in one that may sleep.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, sync::aref::ARef, task::Task};
///
/// struct Worker {
///     task: ARef<Task>,
/// }
///
/// impl Worker {
///     fn this() -> Self {
///         Worker { task: ARef::from(&**current!()) }
///     }
///
///     fn wake(&self) {
///         self.task.wake_up();
///     }
/// }
/// ```
#[repr(transparent)]
pub struct Task(Opaque<bindings::task_struct>);

// SAFETY: the kernel counts references to a task atomically, and any thread may call
// `put_task_struct()` for any task.
unsafe impl Send for Task {}
// SAFETY: the methods read fields that are constant or atomic, or take the locks and RCU sections
// that the kernel's own readers take, in any thread.
unsafe impl Sync for Task {}

// SAFETY: `get_task_struct()` and `put_task_struct()` are the kernel's own reference counting: a
// task is not freed before the last reference is put.
unsafe impl AlwaysRefCounted for Task {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: `self` is borrowed, so the task is valid and its count is not 0.
        unsafe { bindings::koru_get_task(self.as_ptr()) }
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: the caller passes a reference to the task, by this function's contract, which
        // `put_task_struct()` consumes.
        unsafe { bindings::koru_put_task(obj.cast().as_ptr()) }
    }
}

/// The task that is running this code; it cannot leave its thread.
///
/// # Examples
///
/// ```
/// # use kernel::current;
/// let pid = current!().pid();
/// # let _ = pid;
/// ```
#[repr(transparent)]
pub struct CurrentTask(Task, NotThreadSafe);

impl Deref for CurrentTask {
    type Target = Task;

    #[inline]
    fn deref(&self) -> &Task {
        &self.0
    }
}

impl Task {
    /// Returns a handle to the task that is running this code.
    ///
    /// Safe code uses [`current!`](crate::current!), which keeps the handle in a temporary.
    ///
    /// # Safety
    ///
    /// The caller must drop the handle, and end its borrows, before the calling task exits. In
    /// particular, the handle must neither be leaked nor be moved into memory that outlives the
    /// call.
    #[doc(hidden)]
    #[inline]
    pub unsafe fn current() -> impl Deref<Target = CurrentTask> {
        /// A handle to the current task, which it does not keep alive.
        ///
        /// # Invariants
        ///
        /// `task` points to the task that made the handle, and is valid as long as the handle
        /// exists.
        struct CurrentHandle {
            task: NonNull<CurrentTask>,
            _not_send: NotThreadSafe,
        }

        impl Deref for CurrentHandle {
            type Target = CurrentTask;

            #[inline]
            fn deref(&self) -> &CurrentTask {
                // SAFETY: by the type's invariant `task` is valid as long as `self`. `CurrentTask`
                // is a transparent wrapper of bytes about which Rust assumes nothing.
                unsafe { self.task.as_ref() }
            }
        }

        // SAFETY: `koru_current()` only reads the processor's `current`, which exists in every
        // context.
        let task = unsafe { bindings::koru_current() };
        CurrentHandle {
            // INVARIANT: `current` does not exit while it runs this code, and by this function's
            // contract the caller drops the handle before it does.
            // SAFETY: `current` is never null.
            task: unsafe { NonNull::new_unchecked(task.cast()) },
            _not_send: NotThreadSafe,
        }
    }

    #[inline]
    pub(crate) fn as_ptr(&self) -> *mut bindings::task_struct {
        self.0.get()
    }

    /// Returns the number of the thread.
    ///
    /// The threads of a process have different numbers. A number is reused after its thread is
    /// gone, so it identifies nobody for long.
    #[inline]
    pub fn pid(&self) -> Pid {
        // SAFETY: reading the `pid` of a task needs one that is valid, which `self` is while it is
        // borrowed.
        unsafe { bindings::koru_task_pid(self.as_ptr()) }
    }

    /// Returns the number of the process, which `getpid` returns.
    #[inline]
    pub fn tgid(&self) -> Pid {
        // SAFETY: reading the `tgid` of a task needs one that is valid, which `self` is while it is
        // borrowed.
        unsafe { bindings::koru_task_tgid(self.as_ptr()) }
    }

    /// Returns the real user ID of the task: the user who started the process.
    ///
    /// Context: any but NMIs.
    #[inline]
    pub fn uid(&self) -> Kuid {
        // SAFETY: `task_uid()` needs a task that is not freed, which `self` is while it is
        // borrowed; it reads the credentials under RCU.
        Kuid(unsafe { bindings::koru_task_uid(self.as_ptr()) })
    }

    /// Returns the effective user ID of the task: the user whose rights the process has.
    ///
    /// Context: any but NMIs.
    #[inline]
    pub fn euid(&self) -> Kuid {
        // SAFETY: `task_euid()` needs a task that is not freed, which `self` is while it is
        // borrowed; it reads the credentials under RCU.
        Kuid(unsafe { bindings::koru_task_euid(self.as_ptr()) })
    }

    /// Returns the first thread of the process, or the task itself once it is reaped.
    ///
    /// A reaped task has no leader any more. (Upstream returns a borrow. Nothing keeps the leader
    /// of a dead task alive, so this returns a reference of its own.)
    ///
    /// Context: any but NMIs.
    pub fn group_leader(&self) -> ARef<Task> {
        // SAFETY: `self` is borrowed, so the task is valid. The function follows the task's pointer
        // only under RCU, and only while the task is not reaped.
        let leader = unsafe { bindings::koru_task_group_leader(self.as_ptr()) };
        // SAFETY: the function returns a task, never null, with a reference that nobody else puts.
        unsafe { ARef::from_raw(NonNull::new_unchecked(leader.cast())) }
    }

    /// Wakes the task if it sleeps.
    ///
    /// A task may be woken by anybody, so whoever waits must check the condition again.
    ///
    /// Context: any but NMIs.
    #[inline]
    pub fn wake_up(&self) {
        // SAFETY: `wake_up_process()` needs a task that is not freed, which `self` is while it is
        // borrowed. It does nothing to a task that does not sleep or is dead, and the kernel's
        // sleepers expect spurious wake-ups.
        unsafe { bindings::koru_wake_up_process(self.as_ptr()) };
    }

    /// Returns whether a signal is pending, so that long work should return `EINTR` or
    /// `ERESTARTSYS`.
    #[inline]
    pub fn signal_pending(&self) -> bool {
        // SAFETY: `signal_pending()` reads flags of a task that is not freed, which `self` is while
        // it is borrowed.
        unsafe { bindings::koru_signal_pending(self.as_ptr()) != 0 }
    }
}

/// Borrows the task that is running this code, as a [`CurrentTask`].
///
/// The borrow ends with the statement, or with the block if `let` binds it.
/// `ARef::from(&**current!())` creates a reference that may be kept for longer.
///
/// Context: any. In an interrupt it is the task that was interrupted.
///
/// # Examples
///
/// ```
/// use kernel::{current, sync::aref::ARef, task::Task};
/// let process = current!().tgid();
/// let kept: ARef<Task> = ARef::from(&**current!());
/// # let _ = (process, kept);
/// ```
#[macro_export]
macro_rules! current {
    () => {
        // SAFETY: the handle is a temporary of the function that this expands in, and nobody can
        // name it. So it is dropped when that function returns, which happens before the task that
        // called it exits.
        unsafe { &*$crate::task::Task::current() }
    };
}

/// Yields the CPU if another task needs it and the kernel would not preempt this one by itself.
///
/// It is for loops in system calls and kernel threads that can take long.
///
/// Context: process context without a spinlock held; it may sleep.
///
/// # Examples
///
/// ```
/// use kernel::task::cond_resched;
/// fn sum(numbers: &[u64]) -> u64 {
///     let mut sum = 0_u64;
///     for part in numbers.chunks(4096) {
///         sum = sum.wrapping_add(part.iter().copied().fold(0, u64::wrapping_add));
///         cond_resched();
///     }
///     sum
/// }
/// ```
pub fn cond_resched() {
    // SAFETY: `cond_resched()` takes no argument and may be called wherever sleeping is allowed.
    // Elsewhere a call is a bug that the kernel can report, as for every other function that may
    // sleep, and it accesses no memory of the caller's.
    unsafe { bindings::koru_cond_resched() }
}

/// Annotates a function that may sleep.
///
/// A kernel with `CONFIG_DEBUG_ATOMIC_SLEEP` reports a call in a context that must not sleep. Other
/// kernels yield the CPU here if they are built to.
///
/// # Examples
///
/// ```
/// kernel::task::might_sleep();
/// ```
#[track_caller]
pub fn might_sleep() {
    let place = Location::caller();
    // C takes a terminated string, and prints it before this returns.
    let mut file = [0u8; 64];
    for (to, from) in file.iter_mut().take(63).zip(place.file().bytes()) {
        *to = from;
    }
    let line = c_int::try_from(place.line()).unwrap_or(0);
    // SAFETY: `__might_sleep()` takes a C string and prints it before it returns: `file` is one,
    // because its last byte stays 0, and it lives through the call.
    unsafe { bindings::koru_might_sleep(file.as_ptr(), line) }
}
