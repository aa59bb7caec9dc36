// SPDX-License-Identifier: GPL-2.0-only

//! Lock classes, by which lockdep tells locks apart, and the names of locks.

use crate::bindings;
use crate::layout;
use crate::types::Opaque;
use core::pin::Pin;

/// The key of a lock class: all locks with the same key are one class for lockdep.
///
/// It costs nothing on a kernel without lockdep.
///
/// # Examples
///
/// ```
/// let key = kernel::static_lock_class!();
/// # let _ = key;
/// ```
#[repr(transparent)]
pub struct LockClassKey(Opaque<layout::LockClassKey>);

// SAFETY: only lockdep uses the key, and synchronises its accesses itself.
unsafe impl Sync for LockClassKey {}

impl LockClassKey {
    /// Creates a key for a static.
    ///
    /// # Safety
    ///
    /// The value must become a static, because lockdep recognises a module's static keys by their
    /// address.
    #[doc(hidden)]
    #[inline]
    pub const unsafe fn new_static() -> Self {
        Self(Opaque::uninit())
    }

    #[inline]
    pub(crate) fn as_ptr(self: Pin<&Self>) -> *mut bindings::lock_class_key {
        self.get_ref().0.object()
    }
}

/// Returns the key of a lock class for this place in the source.
///
/// # Examples
///
/// ```
/// let key = kernel::static_lock_class!();
/// # let _ = key;
/// ```
#[macro_export]
macro_rules! static_lock_class {
    () => {{
        static CLASS: $crate::sync::LockClassKey =
            // SAFETY: the value becomes a static.
            unsafe { $crate::sync::LockClassKey::new_static() };
        $crate::__core::pin::Pin::static_ref(&CLASS)
    }};
}

/// Expands to the given name, or to the place in the source, as a C string.
#[doc(hidden)]
#[macro_export]
macro_rules! optional_name {
    () => {
        $crate::c_str!($crate::__core::concat!(
            $crate::__core::file!(),
            ":",
            $crate::__core::line!()
        ))
    };
    ($name:literal) => {
        $crate::c_str!($name)
    };
}
