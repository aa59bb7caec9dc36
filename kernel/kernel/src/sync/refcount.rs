// SPDX-License-Identifier: GPL-2.0-only

//! Reference counts that cannot overflow.

use crate::bindings;
use core::sync::atomic::{fence, AtomicI32, Ordering};

/// Where a count stands that has gone wrong, as in `refcount_t`.
const SATURATED: i32 = i32::MIN / 2;

/// The kinds of `enum refcount_saturation_type`.
const ADD_OVERFLOW: i32 = 1;
const ADD_USE_AFTER_FREE: i32 = 2;
const SUB_USE_AFTER_FREE: i32 = 3;

/// A reference count with the kernel's `refcount_t` rules: one that would
/// overflow, or is used after it reached 0, is pinned where it never reaches 0
/// again, and the kernel WARNs. A leak, but no use after free.
///
/// # Examples
///
/// ```
/// let count = kernel::sync::Refcount::new(1);
/// count.inc();
/// assert!(!count.dec_and_test());
/// ```
#[repr(transparent)]
pub struct Refcount(AtomicI32);

impl Refcount {
    /// A count of `value`.
    #[inline]
    pub const fn new(value: i32) -> Self {
        Self(AtomicI32::new(value))
    }

    #[cold]
    fn warn(&self, kind: i32) {
        self.0.store(SATURATED, Ordering::Relaxed);
        // SAFETY: `refcount_warn_saturate()` wants a `refcount_t`, to which it writes by an
        // atomic store: that is an `atomic_t`, which is an `int`, as `self` has one.
        unsafe {
            bindings::koru_refcount_warn(self.0.as_ptr().cast::<bindings::refcount_struct>(), kind)
        }
    }

    /// Adds one. The caller holds a reference, so no ordering is needed.
    pub fn inc(&self) {
        let old = self.0.fetch_add(1, Ordering::Relaxed);
        if old == 0 {
            self.warn(ADD_USE_AFTER_FREE);
        } else if old < 0 || old == i32::MAX {
            self.warn(ADD_OVERFLOW);
        }
    }

    /// Takes one away; true if that was the last. What other threads did before
    /// they gave theirs away is then visible.
    #[must_use = "the last one must free"]
    pub fn dec_and_test(&self) -> bool {
        let old = self.0.fetch_sub(1, Ordering::Release);
        if old == 1 {
            fence(Ordering::Acquire);
            return true;
        }
        if old <= 0 {
            self.warn(SUB_USE_AFTER_FREE);
        }
        false
    }

    /// Sets the count, for one who has the object to himself.
    #[inline]
    pub(crate) fn set(&self, value: i32) {
        self.0.store(value, Ordering::Relaxed);
    }
}
