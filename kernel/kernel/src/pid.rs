// SPDX-License-Identifier: GPL-2.0-only

//! The identity of a process, which outlives the process's number.
//!
//! The number of a process is reused after the process is gone. A [`Pid`] is not: as long as there
//! is a reference to it, it identifies the process that it was made for, dead or alive, and no
//! other.
//!
//! It is C's `struct pid`, and has the name that the patches for upstream's `kernel::pid` give it.
//! The number, C's `pid_t`, is [`task::Pid`].
//!
//! C header: `include/linux/pid.h`
//!
//! # Examples
//!
//! ```
//! use kernel::{pid::Pid, prelude::*, sync::aref::ARef};
//!
//! struct Session {
//!     owner: ARef<Pid>,
//! }
//!
//! impl Session {
//!     fn open() -> Result<Self> {
//!         Ok(Session { owner: current!().process()? })
//!     }
//!
//!     fn check(&self) -> Result {
//!         if current!().belongs_to(&self.owner) {
//!             Ok(())
//!         } else {
//!             Err(EACCES)
//!         }
//!     }
//! }
//! ```

use crate::bindings;
use crate::error::{code::ESRCH, Result};
use crate::sync::aref::{ARef, AlwaysRefCounted};
use crate::task::{self, CurrentTask, Task};
use crate::types::Opaque;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ptr::NonNull;

/// The kernel's `struct pid` of a process and all its threads.
///
/// Two are equal if they identify the same process. [`Task::process`](crate::task::Task::process)
/// returns one.
///
/// # Examples
///
/// ```
/// use kernel::pid::Pid;
/// fn same(a: &Pid, b: &Pid) -> bool {
///     a == b
/// }
/// ```
#[repr(transparent)]
pub struct Pid(Opaque<bindings::pid>);

// SAFETY: any thread may call `put_pid()`, whichever called `get_pid()`.
unsafe impl Send for Pid {}
// SAFETY: the methods read an atomic count and constant numbers.
unsafe impl Sync for Pid {}

// SAFETY: `get_pid()` and `put_pid()` are the kernel's own reference counting: a pid is not freed
// before the last reference is put.
unsafe impl AlwaysRefCounted for Pid {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: `self` is borrowed, so the pid is valid and its count is not 0.
        unsafe { bindings::koru_get_pid(self.as_ptr()) }
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: the caller passes a reference, by this function's contract, which `put_pid()`
        // consumes.
        unsafe { bindings::koru_put_pid(obj.cast().as_ptr()) }
    }
}

impl Pid {
    #[inline]
    pub(crate) fn as_ptr(&self) -> *mut bindings::pid {
        self.0.get()
    }

    /// Returns the number of the process, which `getpid` returns, for messages.
    ///
    /// It may belong to another process by now. For a process in a container it is the number
    /// outside of the container.
    #[inline]
    pub fn nr(&self) -> task::Pid {
        // SAFETY: `pid_nr()` needs a valid pid, which `self` is while it is borrowed.
        unsafe { bindings::koru_pid_nr(self.as_ptr()) }
    }

    /// Returns a number that no other process has while there is a reference, as a key for tables.
    ///
    /// The number reveals no address, and differs each time that the module is loaded.
    #[inline]
    pub fn id(&self) -> usize {
        // SAFETY: `self` is borrowed, so the pid is valid; the function uses only its address.
        unsafe { bindings::koru_pid_id(self.as_ptr()) }
    }
}

/// The methods about the process that a task belongs to.
impl Task {
    /// Returns the identity of the process that this thread belongs to.
    ///
    /// It can be kept and compared. All threads of the process have the same one, and so have the
    /// workers of io_uring that act for it.
    ///
    /// # Errors
    ///
    /// `ESRCH` if the process is gone already. For [`current!`](crate::current!) that never happens
    /// in a system call.
    pub fn process(&self) -> Result<ARef<Pid>> {
        // SAFETY: `get_task_pid()` needs a task that is not freed, which `self` is while it is
        // borrowed; it reads the pid under RCU.
        let ptr = unsafe { bindings::koru_task_process(self.as_ptr()) };
        let pid = NonNull::new(ptr.cast()).ok_or(ESRCH)?;
        // SAFETY: `get_task_pid()` returned a `struct pid` with a reference that nobody else puts.
        Ok(unsafe { ARef::from_raw(pid) })
    }

    /// Returns whether this thread belongs to `process`.
    ///
    /// This is faster than a comparison with [`Self::process`].
    #[inline]
    pub fn belongs_to(&self, process: &Pid) -> bool {
        // SAFETY: `self` is borrowed, so the task is not freed; the function compares its pid under
        // RCU, and uses only the address of `process`.
        unsafe { bindings::koru_task_belongs_to(self.as_ptr(), process.as_ptr()) != 0 }
    }
}

impl CurrentTask {
    /// Returns whether the task is a thread of `process`.
    ///
    /// This is what [`Task::belongs_to`] returns, for less.
    ///
    /// Context: any.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{pid::Pid, prelude::*};
    /// fn is_mine(process: &Pid) -> bool {
    ///     current!().belongs_to(process)
    /// }
    /// ```
    #[inline]
    pub fn belongs_to(&self, process: &Pid) -> bool {
        // SAFETY: the function reads the pid of `current`, which exists, as this value shows, and
        // uses only the address of `process`.
        unsafe { bindings::koru_current_belongs_to(process.as_ptr()) != 0 }
    }
}

impl PartialEq for Pid {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self.as_ptr(), other.as_ptr())
    }
}

impl Eq for Pid {}

impl Hash for Pid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pid").field(&self.nr()).finish()
    }
}
