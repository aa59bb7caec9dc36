// SPDX-License-Identifier: MIT OR Apache-2.0

//! Types around one pinned value.

use core::cell::UnsafeCell;

use crate::initializer::{cast_pin_init, PinInit};

/// Types that hold one value, which is pinned when they are.
///
/// Unlike upstream's, `MaybeUninit` has it not: it does not drop what it holds, so a
/// pinned value's memory could be used again although the value was never dropped.
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
    /// Makes an initialiser of the wrapper from one of the value.
    ///
    /// # Errors
    ///
    /// The initialiser's error is the value's.
    fn pin_init<E>(value_init: impl PinInit<T, E>) -> impl PinInit<Self, E>;
}

impl<T> Wrapper<T> for UnsafeCell<T> {
    fn pin_init<E>(value_init: impl PinInit<T, E>) -> impl PinInit<Self, E> {
        // SAFETY: `UnsafeCell<T>` is `repr(transparent)` and drops its value. It is `Unpin`
        // only if `T` is, so a pinned one keeps its value pinned.
        unsafe { cast_pin_init(value_init) }
    }
}
