// SPDX-License-Identifier: GPL-2.0-only

//! The task that is in an `open` of this module's devices.

use crate::bindings;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

/// The task that runs a device's `open` in this module.
///
/// There is at most one, because the lock of the misc class is held.
static OPENING: AtomicPtr<bindings::task_struct> = AtomicPtr::new(ptr::null_mut());

/// Returns whether the calling task is in such an `open`, and so holds the lock that registering
/// takes.
pub(super) fn is_opening() -> bool {
    // SAFETY: `koru_current()` may be called in any context.
    let current = unsafe { bindings::koru_current() };
    // A task sees its own store if it made one, and the address of another task never equals its
    // own.
    OPENING.load(Ordering::Relaxed) == current
}

/// Runs a device's `open`, and records the current task meanwhile.
pub(super) fn while_opening<R>(open: impl FnOnce() -> R) -> R {
    // SAFETY: `koru_current()` may be called in any context.
    OPENING.store(unsafe { bindings::koru_current() }, Ordering::Relaxed);
    let result = open();
    OPENING.store(ptr::null_mut(), Ordering::Relaxed);
    result
}
