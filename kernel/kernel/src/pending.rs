// SPDX-License-Identifier: GPL-2.0-only

//! Counts the work that will still call the module's code, and the timers that may.

use core::sync::atomic::{AtomicUsize, Ordering};

/// How often work was queued or a timer was started, how often that has ended or was refused, and
/// whether the module is about to go. A work ends when it has run, and a timer when its handle is
/// dropped. C's `atomic_long_t`, as which `workqueue.c` has these, is the same type. The link uses
/// the function of that file which waits for them only if the module has this variable.
#[no_mangle]
#[allow(
    non_upper_case_globals,
    reason = "the C side has this variable as well"
)]
static koru_queued_works: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];

const QUEUED: usize = 0;
const DONE: usize = 1;
const ENDING: usize = 2;

/// A work that is queued or runs, or the handle of a timer. The module's code stays as long as there
/// is such a value, or one was forgotten.
pub(crate) struct Pending(());

impl Pending {
    /// Counts a work or a timer, unless the module waits for the end of all.
    #[inline]
    pub(crate) fn new() -> Option<Self> {
        koru_queued_works[QUEUED].fetch_add(1, Ordering::SeqCst);
        let pending = Pending(());
        // The C side sets this before it reads the numbers: so either it sees this work, or the
        // work is refused.
        (koru_queued_works[ENDING].load(Ordering::SeqCst) == 0).then_some(pending)
    }

    /// Returns the value that was forgotten when the work was queued.
    ///
    /// # Safety
    ///
    /// A value must have been forgotten for the work that is about to run, and not been returned.
    #[inline]
    pub(crate) unsafe fn resumed() -> Self {
        Pending(())
    }
}

impl Drop for Pending {
    #[inline]
    fn drop(&mut self) {
        // Orders what the work did before the end of the module. The thread still has to leave the
        // module's code, for which the C side waits after it has seen this.
        koru_queued_works[DONE].fetch_add(1, Ordering::Release);
    }
}
