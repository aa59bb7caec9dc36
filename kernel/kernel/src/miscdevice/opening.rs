// SPDX-License-Identifier: GPL-2.0-only

//! Which task is in an `open` of this module's devices.

use crate::bindings;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

/// The task that runs a device's `open` in this module: one at most, since the class's
/// lock is held.
static OPENING: AtomicPtr<bindings::task_struct> = AtomicPtr::new(ptr::null_mut());

/// Whether the calling task holds the class's lock, which registering takes.
pub(super) fn is_opening() -> bool {
    // SAFETY: `koru_current` may be called in every context.
    let current = unsafe { bindings::koru_current() };
    // Its own store, if it made one; another task's address is never its own.
    OPENING.load(Ordering::Relaxed) == current
}

/// Runs a device's `open`, and remembers meanwhile that this task does.
pub(super) fn while_opening<R>(open: impl FnOnce() -> R) -> R {
    // SAFETY: `koru_current` may be called in every context.
    OPENING.store(unsafe { bindings::koru_current() }, Ordering::Relaxed);
    let result = open();
    OPENING.store(ptr::null_mut(), Ordering::Relaxed);
    result
}
