// SPDX-License-Identifier: GPL-2.0-only

//! A handler that counts.

use super::handler::{Handler, Regs};
use crate::sync::atomic::{Atomic, Relaxed};

/// A handler that counts the calls.
///
/// It can neither sleep nor panic. Calls on several CPUs at once are all counted. Calls about which
/// the kernel does not tell a handler are in [`Probe::missed`](super::Probe::missed).
///
/// # Examples
///
/// ```
/// use kernel::{kprobe::{Count, Probe}, prelude::*};
///
/// fn watch() -> Result<Pin<KBox<Probe<Count>>>> {
///     KBox::pin_init(Probe::new(c"do_sys_openat2", Count::new()), GFP_KERNEL)
/// }
/// fn calls(probe: &Probe<Count>) -> u64 {
///     probe.data().get() + probe.missed() as u64
/// }
/// ```
pub struct Count(Atomic<u64>);

impl Count {
    /// Creates a count of 0.
    pub const fn new() -> Self {
        Count(Atomic::new(0))
    }

    /// Returns how often the function was called.
    ///
    /// Context: any.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Default for Count {
    fn default() -> Self {
        Self::new()
    }
}

impl Handler for Count {
    fn pre_handler(&self, _regs: &Regs) {
        self.0.add(1, Relaxed);
    }
}
