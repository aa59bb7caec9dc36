// SPDX-License-Identifier: GPL-2.0-only

//! What the module has registered, and must have dropped before its code goes.
//!
//! The kernel crate is linked into each module, so the counts are the module's own.

use crate::bindings;
use crate::ffi::c_int;
use crate::module::name::module_name;
use crate::pr_emerg;
use crate::time::{Jiffies, HZ};
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

/// What can be registered: each makes the kernel call the module's code.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Thread,
    ProcFile,
    MiscDevice,
    Probe,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Thread, Kind::ProcFile, Kind::MiscDevice, Kind::Probe];

    /// For one, and for several.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Kind::Thread => ("kernel thread", "kernel threads"),
            Kind::ProcFile => ("file in /proc", "files in /proc"),
            Kind::MiscDevice => ("misc device", "misc devices"),
            Kind::Probe => ("kprobe", "kprobes"),
        }
    }

    fn count(self) -> &'static AtomicUsize {
        static COUNTS: [AtomicUsize; Kind::ALL.len()] =
            [const { AtomicUsize::new(0) }; Kind::ALL.len()];
        &COUNTS[self as usize]
    }
}

/// Counts one registration for as long as it lives.
///
/// It is made once the kernel may call the module's code, and dropped once the
/// kernel no longer can. When it is leaked with its owner, the count stays.
pub(crate) struct Live(Kind);

impl Live {
    pub(crate) fn new(kind: Kind) -> Self {
        kind.count().fetch_add(1, Ordering::Relaxed);
        Self(kind)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // What the registration's end did comes before the module's own end.
        self.0.count().fetch_sub(1, Ordering::Release);
    }
}

/// "1 kernel thread, 2 files in /proc"
struct Remaining;

impl Remaining {
    fn is_empty() -> bool {
        Kind::ALL
            .iter()
            .all(|kind| kind.count().load(Ordering::Acquire) == 0)
    }
}

impl fmt::Display for Remaining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for kind in Kind::ALL {
            let count = kind.count().load(Ordering::Relaxed);
            if count > 0 {
                let (one, several) = kind.names();
                let name = if count == 1 { one } else { several };
                write!(f, "{separator}{count} {name}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

/// Why the loader is about to free the module's code.
pub(crate) enum UnloadReason {
    /// Its init failed with this errno.
    InitFailed(c_int),
    /// It is unloaded.
    Exited,
}

impl fmt::Display for UnloadReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnloadReason::InitFailed(errno) => write!(f, "its init failed (errno {})", -errno),
            UnloadReason::Exited => f.write_str("its exit ended"),
        }
    }
}

/// Returns once nothing of the module is registered: the loader may then free its
/// code. May sleep.
///
/// Neither an exit nor a failed init can be called off, so while something is
/// registered this does not return. The process that loads or unloads then sleeps:
/// idle, so that it neither counts as load nor as a hung task, and without a lock.
/// If the rest is dropped later after all, it goes on.
pub(crate) fn wait_until_unregistered(reason: &UnloadReason) {
    /// A thread that is just ending needs no words.
    const GRACE: Jiffies = HZ as Jiffies;
    let mut waited = 0;
    let mut reported = false;
    loop {
        // SAFETY: both may be called where sleeping is allowed, as it is in a
        // module's init and exit.
        while unsafe { bindings::koru_kthread_detached_exited() } != 0 {
            Kind::Thread.count().fetch_sub(1, Ordering::Release);
        }
        if Remaining::is_empty() {
            break;
        }
        if waited >= GRACE && !reported {
            reported = true;
            // The host's tools know the first words.
            pr_emerg!(
                "{} must stay in memory: {reason} with {Remaining} still registered, never dropped. \
                 Look for mem::forget, leak(), a static, or an Arc cycle (such as a thread whose \
                 closure holds the Arc that owns the thread). This process waits until all is \
                 dropped.\n",
                module_name()
            );
        }
        let pause = if waited < GRACE { 1 } else { GRACE / 10 };
        // SAFETY: sleeping is allowed in a module's init and exit.
        unsafe { bindings::koru_idle(pause) };
        waited = waited.saturating_add(pause);
    }
    if reported {
        pr_emerg!("{} may go now: all is dropped\n", module_name());
    }
}

/// Does not return: this task would wait for its own end. One record says why; the
/// task then sleeps, idle, instead of hanging in the kernel's own wait.
///
/// May sleep, as long as it likes.
pub(crate) fn report_wait_for_itself(what: fmt::Arguments<'_>) -> ! {
    let task = crate::current!();
    // The host's tools know the first words.
    pr_emerg!(
        "{} must stay in memory: process {} {what}, and would wait for its own end. It never \
         returns.\n",
        module_name(),
        task.pid()
    );
    loop {
        // SAFETY: `koru_idle` may be called where sleeping is allowed, as it is here: the
        // caller was about to wait.
        unsafe { bindings::koru_idle(HZ as Jiffies) };
    }
}
