// SPDX-License-Identifier: GPL-2.0-only

//! Who a process is, for longer than its number.
//!
//! A number is given to somebody else when its owner is gone. A [`Pid`] never:
//! as long as there is a reference to it, it stands for the process that it was
//! made for, dead or alive, and for no other.
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
//!
//! C header: `include/linux/pid.h`

use crate::bindings;
use crate::error::{code::ESRCH, Result};
use crate::sync::aref::{ARef, AlwaysRefCounted};
use crate::task::{self, Task};
use crate::types::Opaque;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ptr::NonNull;

/// The kernel's `struct pid` of a process: of all its threads.
///
/// Two are equal if they are the same process. Made by
/// [`Task::process`](crate::task::Task::process).
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

// SAFETY: `put_pid` may be called by any thread, whoever called `get_pid`.
unsafe impl Send for Pid {}
// SAFETY: the methods read an atomic count and constant numbers.
unsafe impl Sync for Pid {}

// SAFETY: `get_pid` and `put_pid` are the kernel's own counting: a pid is not freed before the
// last reference is put.
unsafe impl AlwaysRefCounted for Pid {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: `self` is borrowed, so the pid is valid and its count is not 0.
        unsafe { bindings::koru_get_pid(self.as_ptr()) }
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: the caller hands over a reference, which is what `put_pid` consumes.
        unsafe { bindings::koru_put_pid(obj.cast().as_ptr()) }
    }
}

impl Pid {
    #[inline]
    pub(crate) fn as_ptr(&self) -> *mut bindings::pid {
        self.0.get()
    }

    /// The number: what `getpid` returns, for messages. It may be somebody else's
    /// by now. In a container it is the one outside.
    #[inline]
    pub fn nr(&self) -> task::Pid {
        // SAFETY: `self` is borrowed, so the pid is valid: all that `pid_nr` needs.
        unsafe { bindings::koru_pid_nr(self.as_ptr()) }
    }

    /// Returns a number that no other has while there is a reference: a key for
    /// tables. It says nothing about where in memory anything is, and is another one
    /// each time that the module is loaded.
    #[inline]
    pub fn id(&self) -> usize {
        // SAFETY: `self` is borrowed, so it is valid; only its address is used.
        unsafe { bindings::koru_pid_id(self.as_ptr()) }
    }
}

/// Which process a task belongs to.
impl Task {
    /// Returns the process that this thread belongs to, as something that can be
    /// kept and compared. All threads have the same, and io_uring's workers.
    ///
    /// # Errors
    ///
    /// Returns `ESRCH` if the process is gone already: never in a system call, for
    /// [`current!`](crate::current!).
    pub fn process(&self) -> Result<ARef<Pid>> {
        // SAFETY: `get_task_pid` needs a task that is not freed, which `self` is; it
        // reads the pid under RCU.
        let ptr = unsafe { bindings::koru_task_process(self.as_ptr()) };
        let pid = NonNull::new(ptr.cast()).ok_or(ESRCH)?;
        // SAFETY: `get_task_pid` returned a `struct pid` with a reference, which
        // nobody else puts.
        Ok(unsafe { ARef::from_raw(pid) })
    }

    /// Whether this thread is one of that process. Faster than comparing with
    /// [`Self::process`].
    #[inline]
    pub fn belongs_to(&self, process: &Pid) -> bool {
        // SAFETY: `self` is borrowed, so the task is not freed; its pid is compared
        // under RCU, and that of `process` is only an address.
        unsafe { bindings::koru_task_belongs_to(self.as_ptr(), process.as_ptr()) != 0 }
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
