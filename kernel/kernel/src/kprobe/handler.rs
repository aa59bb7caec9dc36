// SPDX-License-Identifier: GPL-2.0-only

//! The trait of probe handlers, and the registers that a handler gets.

use crate::bindings;
use crate::types::Opaque;

/// The action of a [`Probe`](super::Probe).
///
/// # What a handler must not do
///
/// [`pre_handler`](Handler::pre_handler) runs with preemption disabled, in the context of the
/// probed function's caller: a process, a softirq, an interrupt, or an NMI if that calls the
/// function. It may run on several CPUs at once, and the caller may hold any lock of the kernel.
///
/// So a handler must not sleep and must not take a lock, not even a spinlock, because the caller
/// may hold that lock already. The build follows each handler through all that it calls, and
/// refuses a module in which one can reach a kernel function that may sleep or takes locks:
/// [`Mutex`](crate::sync::Mutex) and [`SpinLock`](crate::sync::SpinLock), allocating and freeing
/// memory (with any flags; so a handler cannot drop the last reference to an
/// [`Arc`](crate::sync::Arc) either), user memory, reading the clock by
/// [`Instant`](crate::time::Instant), sleeping, waiting and waking, and making or dropping a
/// registration. It also refuses calls through pointers, such as those of a `dyn Trait`, because it
/// cannot tell where they lead. Atomics, [`Regs`], and printing of texts and numbers are allowed.
///
/// What remains possible:
///
/// - A panic, such as an index that is out of bounds. It is a BUG in the probed function's caller,
///   whoever that is, and stops the machine if that is an interrupt. Use `get` instead of an index,
///   and `wrapping_add` and the like.
/// - A loop that takes long, or never ends: the CPU does nothing else meanwhile.
/// - Printing about a function that the console's driver calls. If the driver calls it under its
///   lock, the printing waits for that lock for ever; if not, each line that is shown causes
///   another one.
///
/// # Examples
///
/// A handler that finds the largest second argument:
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
    /// Called on each call of the function, on the calling CPU, just before the function runs.
    ///
    /// Context: atomic, possibly an NMI; see the description of the trait.
    fn pre_handler(&self, regs: &Regs);
}

/// The CPU's registers at a probe: `struct pt_regs`.
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
    /// The number of arguments of a function that are passed in registers: 6 on x86.
    pub const ARGUMENTS: usize = 6;

    /// Returns argument `n` of the function, counted from 0, as the number in its register.
    ///
    /// The result is 0 for an argument that is not in a register, which is one from
    /// [`ARGUMENTS`](Self::ARGUMENTS) on. It is right only at the start of a function, which is
    /// where a [`Probe`](super::Probe) is.
    ///
    /// Context: any.
    pub fn argument(&self, n: u32) -> usize {
        if n as usize >= Self::ARGUMENTS {
            return 0;
        }
        // SAFETY: `regs_get_kernel_argument()` reads a `struct pt_regs`. Only `run_handler` creates
        // references to a `Regs`, from one that is valid as long as the reference.
        unsafe { bindings::koru_regs_argument(self.0.get(), n) }
    }
}
