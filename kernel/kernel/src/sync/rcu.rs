// SPDX-License-Identifier: GPL-2.0-only

//! Sections in which what RCU protects stays.
//!
//! C header: `include/linux/rcupdate.h`
//!
//! Reference: <https://docs.kernel.org/RCU/whatisRCU.html>

use crate::bindings;
use crate::types::NotThreadSafe;

/// A section in which what RCU protects is not freed, as long as this value exists.
///
/// Nothing may sleep meanwhile. A guard that is never dropped keeps everybody from freeing anything
/// by RCU, and so in the end stops the machine, as a lock that is never released does.
///
/// # Examples
///
/// ```
/// use kernel::sync::rcu;
/// let guard = rcu::read_lock();
/// // ... what must not be freed meanwhile ...
/// guard.unlock();
/// ```
#[doc(alias = "rcu_read_unlock")]
#[must_use = "the section ends at once if the guard is not kept"]
pub struct Guard(NotThreadSafe);

impl Guard {
    /// Begins a section, as [`read_lock`] does.
    ///
    /// Context: any.
    #[inline]
    pub fn new() -> Self {
        // SAFETY: `rcu_read_lock()` may be called in any context, and sections may be nested.
        unsafe { bindings::koru_rcu_read_lock() };
        Self(NotThreadSafe)
    }

    /// Ends the section.
    #[inline]
    pub fn unlock(self) {}
}

impl Default for Guard {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Guard {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: `rcu_read_unlock()` ends the section that the constructor began, in the same
        // task, because the guard does not leave its thread.
        unsafe { bindings::koru_rcu_read_unlock() };
    }
}

/// Begins a section in which what RCU protects is not freed.
///
/// Context: any.
///
/// # Examples
///
/// ```
/// use kernel::sync::rcu;
/// let guard = rcu::read_lock();
/// # drop(guard);
/// ```
#[doc(alias = "rcu_read_lock")]
#[inline]
pub fn read_lock() -> Guard {
    Guard::new()
}
