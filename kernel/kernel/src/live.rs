// SPDX-License-Identifier: GPL-2.0-only

//! Counts what the module has registered and must drop before its code can be freed.
//!
//! The kernel crate is linked into each module, so the counts are the module's own.

use crate::bindings;
use crate::ffi::c_int;
use core::ffi::CStr;
use core::sync::atomic::{AtomicUsize, Ordering};

/// A kind of registration: each makes the kernel call the module's code. `live.c` has their names,
/// in this order.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Thread,
    ProcFile,
    MiscDevice,
    Probe,
}

/// The number of registrations of each kind. C's `atomic_long_t`, as which `live.c` has it, is
/// the same type. In a module that has no such variable, nothing can be registered.
#[no_mangle]
#[allow(
    non_upper_case_globals,
    reason = "the C side has this variable as well"
)]
static koru_registered: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];

impl Kind {
    #[inline]
    fn count(self) -> &'static AtomicUsize {
        &koru_registered[self as usize]
    }
}

/// Counts one registration while this value exists.
///
/// It is made once the kernel may call the module's code, and dropped once the kernel no longer
/// can. If it is leaked with its owner, the count stays.
pub(crate) struct Live(Kind);

impl Live {
    #[inline]
    pub(crate) fn new(kind: Kind) -> Self {
        kind.count().fetch_add(1, Ordering::Relaxed);
        Self(kind)
    }
}

impl Drop for Live {
    #[inline]
    fn drop(&mut self) {
        // Orders what the end of the registration did before the end of the module.
        self.0.count().fetch_sub(1, Ordering::Release);
    }
}

/// The reason why the loader is about to free the module's code.
pub(crate) enum UnloadReason {
    /// The init failed with this errno.
    InitFailed(c_int),
    /// The exit has returned.
    Exited,
}

/// Waits until nothing of the module is registered, so that the loader may free its code.
///
/// Neither an exit nor a failed init can be cancelled, so this does not return while something is
/// registered; after a second, one record says what. The process that loads or unloads the module
/// sleeps. If the registrations are dropped later after all, the process continues.
///
/// Context: process context; it may sleep.
pub(crate) fn wait_until_unregistered(reason: &UnloadReason) {
    let errno = match reason {
        UnloadReason::InitFailed(errno) => *errno,
        UnloadReason::Exited => 0,
    };
    // SAFETY: the function takes any errno. It may sleep, which is allowed in a module's init and
    // exit.
    unsafe { bindings::koru_wait_until_unregistered(errno) };
}

/// Reports that the current task would wait for its own end, and never returns.
///
/// One record says why: "process 5 drops a thing, and would wait ..", where `what` is "drops a
/// thing". The task then sleeps, idle, instead of hanging in the kernel's own wait.
///
/// Context: process context; it sleeps.
pub(crate) fn report_wait_for_itself(what: &'static CStr) -> ! {
    // SAFETY: the function takes a C string, and may be called where sleeping is allowed, as it is
    // here: the caller was about to wait.
    unsafe { bindings::koru_report_wait_for_itself(what.as_ptr().cast()) }
}
