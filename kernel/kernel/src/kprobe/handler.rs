// SPDX-License-Identifier: GPL-2.0-only

//! What a probe runs, and what that is given.

use crate::bindings;
use crate::types::Opaque;

/// What a [`Probe`](super::Probe) does.
///
/// # Context
///
/// [`pre_handler`](Handler::pre_handler) runs with preemption off, in the context of
/// whoever calls the probed function: a process, a softirq, an interrupt, or an NMI if
/// that calls it. It runs on several CPUs at once. The caller may hold any lock of the
/// kernel's.
///
/// So it must not sleep, and must not take a lock, not even a spinlock: the probed
/// function's caller may be the one who holds it. The build follows each handler through
/// all that it calls, and refuses a module in which one can reach a function of the
/// kernel's that may sleep or takes locks: [`Mutex`](crate::sync::Mutex) and
/// [`SpinLock`](crate::sync::SpinLock), allocation and freeing of memory (with any flags;
/// so the last reference to an [`Arc`](crate::sync::Arc) cannot go here either), user
/// memory, reading the clock by [`Instant`](crate::time::Instant), sleeping, waiting and
/// waking, and making or dropping a registration. It also refuses calls through pointers,
/// as of a `dyn Trait`, for it cannot tell where they lead. Atomics, [`Regs`], and printing
/// of texts and numbers are allowed.
///
/// What remains possible:
///
/// - A panic, such as an index that is out of bounds. It is a BUG in the probed function's
///   caller, whoever that is, and stops the machine if that is an interrupt. Use `get`
///   instead of an index, and `wrapping_add` and the like.
/// - A loop that takes long, or for ever: the CPU does nothing else meanwhile.
/// - Printing about a function that the console's driver calls. If the driver does so under
///   its lock, the printing waits for that lock for ever; if not, each line that is shown
///   makes another one.
///
/// # Examples
///
/// The largest second argument:
///
/// ```
/// use kernel::kprobe::{Handler, Regs};
/// use kernel::sync::atomic::{Atomic, Relaxed};
///
/// struct Largest(Atomic<usize>);
///
/// impl Handler for Largest {
///     fn pre_handler(&self, regs: &Regs) {
///         let new = regs.argument(1);
///         let mut old = self.0.load(Relaxed);
///         while old < new {
///             match self.0.cmpxchg(old, new, Relaxed) {
///                 Ok(_) => break,
///                 Err(now) => old = now,
///             }
///         }
///     }
/// }
/// ```
pub trait Handler: Send + Sync + 'static {
    /// Is called when the function is about to run, on this CPU, for whoever called it.
    ///
    /// Atomic context, maybe an NMI: see the trait's own text.
    fn pre_handler(&self, regs: &Regs);
}

/// The CPU's registers where a probe was hit: `struct pt_regs`.
///
/// # Examples
///
/// ```
/// use kernel::kprobe::Regs;
/// fn first(regs: &Regs) -> usize {
///     regs.argument(0)
/// }
/// ```
#[repr(transparent)]
pub struct Regs(Opaque<bindings::pt_regs>);

impl Regs {
    /// How many arguments of a function are in registers: 6 on x86.
    pub const ARGUMENTS: usize = 6;

    /// Returns the function's argument `n`, from 0, as the number in its register; 0 for
    /// those that are not in registers (`n` of [`ARGUMENTS`](Self::ARGUMENTS) and above).
    ///
    /// Only right at a function's start, which is where a [`Probe`](super::Probe) is. May be called in
    /// any context.
    pub fn argument(&self, n: u32) -> usize {
        if n as usize >= Self::ARGUMENTS {
            return 0;
        }
        // SAFETY: `regs_get_kernel_argument()` reads the `struct pt_regs` that it is given.
        // A reference to a `Regs` is made in `run_handler` only, of one that is valid for as long.
        unsafe { bindings::koru_regs_argument(self.0.get(), n) }
    }
}
