// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a process that measures asks of the kernel so that it runs alone.

use rustix::{io::Errno, process::Pid};

/// Does `work` while the scheduler prefers this thread to all others that are not real-time
/// threads themselves, for as long as that takes.
pub fn at_real_time<T>(work: impl FnOnce() -> T) -> T {
    /// The file with the share of the time that real-time threads get; -1 is all of it.
    const SHARE: &str = "/proc/sys/kernel/sched_rt_runtime_us";
    let _ = std::fs::write(SHARE, "-1");
    let schedule = |policy, priority| {
        let parameters = libc::sched_param {
            sched_priority: priority,
        };
        // SAFETY: the kernel copies from the structure that the pointer is of, which lives until
        // the call returns. 0 is the calling thread. A refusal changes nothing.
        unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) };
    };
    schedule(libc::SCHED_FIFO, 1);
    let done = work();
    schedule(libc::SCHED_OTHER, 0);
    done
}

/// Lets the kernel end this process after this many seconds. 0 takes that back.
pub fn limit_time(seconds: u32) {
    // SAFETY: alarm takes no pointers. The signal that it sets has no handler in this process.
    unsafe { libc::alarm(seconds) };
}

/// Starts a process that is a copy of this one and does `work`. The calling process must have a
/// single thread.
pub fn fork(work: impl FnOnce()) -> Result<Pid, Errno> {
    // SAFETY: fork takes no pointers. The child has a copy of everything. It has one thread, as
    // has the caller, so no lock is held there by a thread that the child lacks.
    match unsafe { libc::fork() } {
        0 => {
            work();
            std::process::exit(0);
        }
        pid => Pid::from_raw(pid).filter(|_| pid > 0).ok_or(Errno::AGAIN),
    }
}
