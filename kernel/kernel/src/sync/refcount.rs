// SPDX-License-Identifier: GPL-2.0-only

//! Reference counts that cannot overflow.

use crate::bindings;
use core::sync::atomic::{fence, AtomicI32, Ordering};

/// The value of a saturated count, as in `refcount_t`.
const SATURATED: i32 = i32::MIN / 2;

/// The kinds of saturation, as in `enum refcount_saturation_type`.
const ADD_OVERFLOW: i32 = 1;
const ADD_USE_AFTER_FREE: i32 = 2;
const SUB_USE_AFTER_FREE: i32 = 3;

/// A reference count with the rules of the kernel's `refcount_t`.
///
/// A count that would overflow, or that is used after it reached 0, is saturated: it never reaches
/// 0 again, and the kernel WARNs. The object then leaks, but is not used after it was freed.
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
    /// Creates a count of `value`.
    #[inline]
    pub const fn new(value: i32) -> Self {
        Self(AtomicI32::new(value))
    }

    #[cold]
    fn warn(&self, kind: i32) {
        self.0.store(SATURATED, Ordering::Relaxed);
        // SAFETY: `refcount_warn_saturate()` takes a `refcount_t`, to which it writes by an atomic
        // store. That is an `atomic_t`, which is an `int`, as `self` is.
        unsafe {
            bindings::koru_refcount_warn(self.0.as_ptr().cast::<bindings::refcount_struct>(), kind)
        }
    }

    /// Adds one.
    ///
    /// The caller owns a reference, so no ordering is needed.
    #[inline]
    pub fn inc(&self) {
        let old = self.0.fetch_add(1, Ordering::Relaxed);
        if old <= 0 || old == i32::MAX {
            self.warn(match old {
                0 => ADD_USE_AFTER_FREE,
                _ => ADD_OVERFLOW,
            });
        }
    }

    /// Subtracts one, and returns whether that was the last.
    ///
    /// Everything that other threads did before they dropped their references is then visible.
    #[must_use = "whoever drops the last reference must free the object"]
    #[inline]
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

    /// Sets the count, for a caller who is the only one to access the object.
    #[inline]
    pub(crate) fn set(&self, value: i32) {
        self.0.store(value, Ordering::Relaxed);
    }
}
