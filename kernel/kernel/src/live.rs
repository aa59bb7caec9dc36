// SPDX-License-Identifier: GPL-2.0-only

//! Counts what the module has registered and must drop before its code can be freed.
//!
//! The kernel crate is linked into each module, so the counts are the module's own.

use crate::bindings;
use crate::ffi::c_int;
use crate::module::name::module_name;
use crate::pr_emerg;
use crate::time::{Jiffies, HZ};
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

/// A kind of registration: each makes the kernel call the module's code.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Thread,
    ProcFile,
    MiscDevice,
    Probe,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Thread, Kind::ProcFile, Kind::MiscDevice, Kind::Probe];

    /// Returns the name of one registration, and that of several.
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

/// Counts one registration while this value exists.
///
/// It is made once the kernel may call the module's code, and dropped once the kernel no longer
/// can. If it is leaked with its owner, the count stays.
pub(crate) struct Live(Kind);

impl Live {
    pub(crate) fn new(kind: Kind) -> Self {
        kind.count().fetch_add(1, Ordering::Relaxed);
        Self(kind)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // Orders what the end of the registration did before the end of the module.
        self.0.count().fetch_sub(1, Ordering::Release);
    }
}

/// Displays the registrations that are left: "1 kernel thread, 2 files in /proc".
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

/// The reason why the loader is about to free the module's code.
pub(crate) enum UnloadReason {
    /// The init failed with this errno.
    InitFailed(c_int),
    /// The exit has returned.
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

/// Waits until nothing of the module is registered, so that the loader may free its code.
///
/// Neither an exit nor a failed init can be cancelled, so this does not return while something is
/// registered. The process that loads or unloads the module sleeps: idle, so that it counts neither
/// as load nor as a hung task, and without a lock. If the registrations are dropped later after
/// all, the process continues.
///
/// Context: process context; it may sleep.
pub(crate) fn wait_until_unregistered(reason: &UnloadReason) {
    /// A thread that is just about to exit is not worth a record.
    const GRACE: Jiffies = HZ as Jiffies;
    let mut waited = 0;
    let mut reported = false;
    loop {
        // SAFETY: both functions may be called where sleeping is allowed, as it is in a module's
        // init and exit.
        while unsafe { bindings::koru_kthread_detached_exited() } != 0 {
            Kind::Thread.count().fetch_sub(1, Ordering::Release);
        }
        if Remaining::is_empty() {
            break;
        }
        if waited >= GRACE && !reported {
            reported = true;
            // The host's tools recognise the beginning of this message.
            pr_emerg!(
                "{} must stay in memory: {reason} with {Remaining} still registered, never dropped. \
                 Look for mem::forget, leak(), a static, or an Arc cycle (such as a thread whose \
                 closure holds the Arc that owns the thread). This process waits until all is \
                 dropped.\n",
                module_name()
            );
        }
        let pause = if waited < GRACE { 1 } else { GRACE / 10 };
        // SAFETY: `koru_idle()` sleeps, which is allowed in a module's init and exit.
        unsafe { bindings::koru_idle(pause) };
        waited = waited.saturating_add(pause);
    }
    if reported {
        pr_emerg!("{} may go now: all is dropped\n", module_name());
    }
}

/// Reports that the current task would wait for its own end, and never returns.
///
/// One record says why. The task then sleeps, idle, instead of hanging in the kernel's own wait.
///
/// Context: process context; it sleeps.
pub(crate) fn report_wait_for_itself(what: fmt::Arguments<'_>) -> ! {
    let task = crate::current!();
    // The host's tools recognise the beginning of this message.
    pr_emerg!(
        "{} must stay in memory: process {} {what}, and would wait for its own end. It never \
         returns.\n",
        module_name(),
        task.pid()
    );
    loop {
        // SAFETY: `koru_idle()` may be called where sleeping is allowed, as it is here: the caller
        // was about to wait.
        unsafe { bindings::koru_idle(HZ as Jiffies) };
    }
}
