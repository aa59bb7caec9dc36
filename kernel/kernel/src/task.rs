// SPDX-License-Identifier: GPL-2.0-only

//! Processes and threads. What the kernel calls a task, user space calls a
//! thread.
//!
//! C header: `include/linux/sched.h`

use crate::bindings;
use crate::ffi::{c_int, c_uint};
use crate::sync::aref::{ARef, AlwaysRefCounted};
use crate::types::{NotThreadSafe, Opaque};
use core::ops::Deref;
use core::panic::Location;
use core::ptr::NonNull;

/// The number of a process or thread, as user space knows it.
pub type Pid = c_int;

/// A user, as the kernel knows it: a number that means the same in every user
/// namespace.
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
    /// Returns the effective user of the current task.
    ///
    /// Context: any but NMIs.
    #[inline]
    pub fn current_euid() -> Self {
        crate::current!().euid()
    }

    /// Returns the user's number in the user namespace of the current task: what
    /// `getuid` would show there. A user that has none there is `u32::MAX`.
    ///
    /// Context: any but NMIs.
    #[inline]
    pub fn into_uid_in_current_ns(self) -> u32 {
        // SAFETY: `from_kuid` takes every number, and the namespace of `current`
        // is held by its credentials.
        unsafe { bindings::koru_uid_in_current_ns(self.0) }
    }
}

/// A task: C's `struct task_struct`.
///
/// [`current!`](crate::current!) borrows the one that runs. An
/// [`ARef<Task>`](ARef) keeps one, dead or alive; its number then may be somebody
/// else's. To know a process again, keep [`Self::process`].
///
/// Dropping the last `ARef<Task>` frees the task: from any context but NMIs, and on
/// PREEMPT_RT only from one that may sleep.
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

// SAFETY: the kernel counts references to a task atomically, and
// `put_task_struct` may be called by any thread for any task.
unsafe impl Send for Task {}
// SAFETY: the methods read fields that are constant or atomic, or take the locks
// and RCU sections that the kernel's own readers take, from any thread.
unsafe impl Sync for Task {}

// SAFETY: `get_task_struct` and `put_task_struct` are the kernel's own counting: a
// task is not freed before the last reference is put.
unsafe impl AlwaysRefCounted for Task {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: `self` is borrowed, so the task is valid and its count is not 0.
        unsafe { bindings::koru_get_task(self.as_ptr()) }
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: the caller hands over a reference to the task, which is what
        // `put_task_struct` consumes.
        unsafe { bindings::koru_put_task(obj.cast().as_ptr()) }
    }
}

/// The task that runs this code. It cannot leave its thread.
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
    /// Returns a handle to the task that runs this code. Safe code uses
    /// [`current!`](crate::current!), which keeps the handle in a temporary.
    ///
    /// # Safety
    ///
    /// The handle must be dropped, and its borrows must end, before the task that
    /// called this ends. A handle that is leaked, or moved into memory that
    /// outlives the call, breaks this.
    #[doc(hidden)]
    #[inline]
    pub unsafe fn current() -> impl Deref<Target = CurrentTask> {
        /// A handle to the current task, which it does not keep alive.
        ///
        /// # Invariants
        ///
        /// `task` points to the task that made the handle, and is valid for as
        /// long as the handle exists.
        struct CurrentHandle {
            task: NonNull<CurrentTask>,
            _not_send: NotThreadSafe,
        }

        impl Deref for CurrentHandle {
            type Target = CurrentTask;

            #[inline]
            fn deref(&self) -> &CurrentTask {
                // SAFETY: by the type's invariant `task` is valid for as long as
                // `self`. `CurrentTask` is a transparent wrapper of bytes that
                // Rust does not look at.
                unsafe { self.task.as_ref() }
            }
        }

        // SAFETY: `koru_current` only reads the processor's `current`, which every
        // context has.
        let task = unsafe { bindings::koru_current() };
        CurrentHandle {
            // SAFETY: `current` is never null. The task cannot end while it runs
            // this code, and the caller promises not to keep the handle longer:
            // that is the invariant.
            task: unsafe { NonNull::new_unchecked(task.cast()) },
            _not_send: NotThreadSafe,
        }
    }

    #[inline]
    pub(crate) fn as_ptr(&self) -> *mut bindings::task_struct {
        self.0.get()
    }

    /// Returns the thread's id. Threads of one process differ in it; an id is used
    /// again after its owner is gone, so it names nobody for long.
    #[inline]
    pub fn pid(&self) -> Pid {
        // SAFETY: `self` is borrowed, so the task is valid: all that is needed to
        // read its `pid`.
        unsafe { bindings::koru_task_pid(self.as_ptr()) }
    }

    /// Returns the process's id: what `getpid` returns.
    #[inline]
    pub fn tgid(&self) -> Pid {
        // SAFETY: `self` is borrowed, so the task is valid: all that is needed to
        // read its `tgid`.
        unsafe { bindings::koru_task_tgid(self.as_ptr()) }
    }

    /// Returns the user that started the process.
    ///
    /// Context: any but NMIs.
    #[inline]
    pub fn uid(&self) -> Kuid {
        // SAFETY: `task_uid` needs a task that is not freed, which `self` is; it
        // reads the credentials under RCU.
        Kuid(unsafe { bindings::koru_task_uid(self.as_ptr()) })
    }

    /// Returns the user whose rights the process has.
    ///
    /// Context: any but NMIs.
    #[inline]
    pub fn euid(&self) -> Kuid {
        // SAFETY: `task_euid` needs a task that is not freed, which `self` is; it
        // reads the credentials under RCU.
        Kuid(unsafe { bindings::koru_task_euid(self.as_ptr()) })
    }

    /// Returns the first thread of the process, or the task itself once it is
    /// reaped: a dead task knows no leader.
    ///
    /// (Upstream returns a borrow. Nothing keeps the leader of a dead task, so this
    /// is a reference of its own.)
    ///
    /// Context: any but NMIs.
    pub fn group_leader(&self) -> ARef<Task> {
        // SAFETY: `self` is borrowed, so the task is valid. The function follows the
        // task's pointer only under RCU and while the task is not reaped.
        let leader = unsafe { bindings::koru_task_group_leader(self.as_ptr()) };
        // SAFETY: the function returns a task, never null, with a reference that
        // nobody else puts.
        unsafe { ARef::from_raw(NonNull::new_unchecked(leader.cast())) }
    }

    /// Wakes the task if it sleeps. Who waits must look again why, for a task may
    /// be woken by others.
    ///
    /// Context: any but NMIs.
    #[inline]
    pub fn wake_up(&self) {
        // SAFETY: `wake_up_process` needs a task that is not freed, which `self` is.
        // It does nothing to one that does not sleep or is dead, and the kernel's
        // sleepers allow for being woken early.
        unsafe { bindings::koru_wake_up_process(self.as_ptr()) };
    }

    /// Whether a signal waits, so that long work should return `EINTR` or
    /// `ERESTARTSYS`.
    #[inline]
    pub fn signal_pending(&self) -> bool {
        // SAFETY: `signal_pending` reads flags of a task that is not freed, which
        // `self` is.
        unsafe { bindings::koru_signal_pending(self.as_ptr()) != 0 }
    }
}

/// Borrows the task that runs this code, as a [`CurrentTask`].
///
/// The borrow ends with the statement, or with the block if it is bound by `let`.
/// `ARef::from(&**current!())` makes a reference that may be kept for longer.
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
        // SAFETY: the handle is a temporary of the function that this expands in,
        // and nobody can name it. So it is gone when that function is left, which
        // the task that called it does before it ends.
        unsafe { &*$crate::task::Task::current() }
    };
}

/// Lets others run that wait for this CPU, if the kernel would not take it from this
/// task by itself. For loops in system calls and kernel threads that can take long.
///
/// May sleep, so only in process context, and with no spin lock held.
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
    // SAFETY: `cond_resched()` takes no argument and may be called wherever sleeping
    // is allowed; where it is not, a call is a bug that the kernel can report, as for
    // every other function that may sleep, and touches no memory of the caller's.
    unsafe { bindings::koru_cond_resched() }
}

/// Says that this code may sleep. A kernel with `CONFIG_DEBUG_ATOMIC_SLEEP`
/// complains if it runs where it must not; others yield the processor here if they
/// are built to.
///
/// # Examples
///
/// ```
/// kernel::task::might_sleep();
/// ```
#[track_caller]
pub fn might_sleep() {
    let place = Location::caller();
    // C wants a terminated string, and prints it before this returns.
    let mut file = [0u8; 64];
    for (to, from) in file.iter_mut().take(63).zip(place.file().bytes()) {
        *to = from;
    }
    let line = c_int::try_from(place.line()).unwrap_or(0);
    // SAFETY: `__might_sleep` wants a C string, to print before it returns: `file`
    // is one, since its last byte stays 0, and lives through the call.
    unsafe { bindings::koru_might_sleep(file.as_ptr(), line) }
}
