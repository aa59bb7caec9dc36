// SPDX-License-Identifier: MIT OR Apache-2.0

//! Types that contain one pinned value.

use core::cell::UnsafeCell;

use crate::initializer::{cast_pin_init, PinInit};

/// A type that contains one value, which is pinned when the type is.
///
/// Unlike upstream, `MaybeUninit` does not implement this. It does not drop what it contains, so
/// the memory of a pinned value could be reused although the value was never dropped.
///
/// # Examples
///
/// ```
/// use core::cell::UnsafeCell;
/// use core::pin::Pin;
/// use pin_init::{stack_pin_init, Wrapper};
///
/// stack_pin_init!(let cell: UnsafeCell<u32> = UnsafeCell::pin_init(5));
/// let cell: &mut UnsafeCell<u32> = Pin::into_inner(cell);
/// assert_eq!(*cell.get_mut(), 5);
/// ```
pub trait Wrapper<T> {
    /// Creates an initialiser of the wrapper from one of the value.
    ///
    /// # Errors
    ///
    /// The error of the value's initialiser.
    fn pin_init<E>(value_init: impl PinInit<T, E>) -> impl PinInit<Self, E>;
}

impl<T> Wrapper<T> for UnsafeCell<T> {
    fn pin_init<E>(value_init: impl PinInit<T, E>) -> impl PinInit<Self, E> {
        // SAFETY: `UnsafeCell<T>` is `repr(transparent)`, and drops its value. It is `Unpin` only
        // if `T` is, so a pinned one keeps its value pinned.
        unsafe { cast_pin_init(value_init) }
    }
}
