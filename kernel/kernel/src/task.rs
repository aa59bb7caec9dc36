// SPDX-License-Identifier: GPL-2.0-only

//! Processes and threads. What the kernel calls a task, user space calls a
//! thread.
//!
//! C header: `include/linux/sched.h`

use crate::bindings;
use crate::error::{code::ESRCH, Result};
use crate::ffi::c_int;
use crate::sync::aref::ARef;
use crate::types::{NotThreadSafe, Opaque};
use core::ops::Deref;
use core::panic::Location;
use core::ptr::NonNull;

/// A process id.
pub type Pid = c_int;

/// A task.
///
/// # Examples
///
/// ```
/// fn thread(task: &kernel::task::Task) -> i32 {
///     task.pid()
/// }
/// ```
#[repr(transparent)]
pub struct Task(Opaque<bindings::task_struct>);

// SAFETY: what is read here of a task may be read from every thread.
unsafe impl Sync for Task {}

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
    fn deref(&self) -> &Task {
        &self.0
    }
}

impl Task {
    /// The task that runs this code. Used through [`current!`](crate::current!).
    ///
    /// # Safety
    ///
    /// The result is not used after the task is gone, so not kept in a static.
    #[doc(hidden)]
    pub unsafe fn current() -> *const CurrentTask {
        // SAFETY: may be called everywhere.
        unsafe { bindings::koru_current() }.cast_const().cast()
    }

    fn as_ptr(&self) -> *mut bindings::task_struct {
        self.0.get()
    }

    /// The thread's id. Threads of one process differ in it; an id is used again
    /// after its owner is gone, so it names nobody for long.
    pub fn pid(&self) -> Pid {
        // SAFETY: the task is valid while it is borrowed.
        unsafe { bindings::koru_task_pid(self.as_ptr()) }
    }

    /// The process's id: what `getpid` returns.
    pub fn tgid(&self) -> Pid {
        // SAFETY: the task is valid while it is borrowed.
        unsafe { bindings::koru_task_tgid(self.as_ptr()) }
    }

    /// The process that this thread belongs to, as something that can be kept and
    /// compared. All threads have the same, and io_uring's workers.
    ///
    /// # Errors
    ///
    /// `ESRCH` if the process is gone already: never in a system call, for
    /// [`current!`](crate::current!).
    pub fn process(&self) -> Result<ARef<crate::pid::Pid>> {
        // SAFETY: the task is valid while it is borrowed.
        let ptr = unsafe { bindings::koru_task_process(self.as_ptr()) };
        let pid = NonNull::new(ptr.cast()).ok_or(ESRCH)?;
        // SAFETY: it comes with a reference.
        Ok(unsafe { ARef::from_raw(pid) })
    }

    /// Whether this thread is one of that process. Faster than comparing with
    /// [`Self::process`].
    pub fn belongs_to(&self, process: &crate::pid::Pid) -> bool {
        // SAFETY: the task is valid while it is borrowed.
        unsafe { bindings::koru_task_belongs_to(self.as_ptr(), process.as_ptr()) != 0 }
    }

    /// Whether a signal waits, so that long work should return `EINTR` or
    /// `ERESTARTSYS`.
    pub fn signal_pending(&self) -> bool {
        // SAFETY: the task is valid while it is borrowed.
        unsafe { bindings::koru_signal_pending(self.as_ptr()) != 0 }
    }
}

/// The task that runs this code.
///
/// # Examples
///
/// ```
/// use kernel::current;
/// let process = current!().tgid();
/// # let _ = process;
/// ```
#[macro_export]
macro_rules! current {
    () => {
        // SAFETY: a temporary's borrow does not outlive the task's run.
        unsafe { &*$crate::task::Task::current() }
    };
}

/// Says that this code may sleep. A kernel with `CONFIG_DEBUG_ATOMIC_SLEEP`
/// complains if it runs where it must not.
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
    // SAFETY: the name is a C string that is valid during the call.
    unsafe { bindings::koru_might_sleep(file.as_ptr(), line) }
}
