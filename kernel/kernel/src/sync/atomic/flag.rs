// SPDX-License-Identifier: GPL-2.0-only

//! An atomic flag.

use super::ordering::{AcquireOrRelaxed, Any, ReleaseOrRelaxed};
use super::Atomic;

/// A `bool` that is read and changed atomically, in the size that is fastest.
///
/// That is one byte on x86. Choose an [`Atomic<bool>`] if the size matters.
///
/// Context: any.
///
/// # Examples
///
/// ```
/// use kernel::sync::atomic::{AtomicFlag, Full};
/// static BUSY: AtomicFlag = AtomicFlag::new(false);
/// /// True for the first caller only.
/// fn claim() -> bool {
///     !BUSY.xchg(true, Full)
/// }
/// ```
#[repr(transparent)]
pub struct AtomicFlag(Atomic<bool>);

impl AtomicFlag {
    /// Creates a flag with this value.
    #[inline]
    pub const fn new(value: bool) -> Self {
        Self(Atomic::new(value))
    }

    /// Returns the value, to which nobody else has access.
    #[inline]
    pub fn get_mut(&mut self) -> &mut bool {
        self.0.get_mut()
    }

    /// Reads the value.
    #[inline(always)]
    pub fn load<O: AcquireOrRelaxed>(&self, order: O) -> bool {
        self.0.load(order)
    }

    /// Writes the value.
    #[inline(always)]
    pub fn store<O: ReleaseOrRelaxed>(&self, value: bool, order: O) {
        self.0.store(value, order);
    }

    /// Replaces the value, and returns the old one.
    #[inline(always)]
    pub fn xchg<O: Any>(&self, value: bool, order: O) -> bool {
        self.0.xchg(value, order)
    }

    /// Replaces the value if it equals `old`, and returns the value that was there.
    ///
    /// The result is `Ok` if the value was replaced. It is `Err` otherwise, and nothing is ordered
    /// then.
    #[inline(always)]
    pub fn cmpxchg<O: Any>(&self, old: bool, new: bool, order: O) -> Result<bool, bool> {
        self.0.cmpxchg(old, new, order)
    }
}
