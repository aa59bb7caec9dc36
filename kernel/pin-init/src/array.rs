// SPDX-License-Identifier: MIT OR Apache-2.0

//! Arrays, element by element.

use core::{mem::forget, ptr};

use crate::initializer::{init_from_closure, pin_init_from_closure, Init, PinInit};

/// Owns the elements that are there already.
struct Made<T> {
    first: *mut T,
    count: usize,
}

impl<T> Drop for Made<T> {
    fn drop(&mut self) {
        // SAFETY: `fill` counts an element once it is initialised, in their order, and
        // only the guard owns them.
        unsafe { ptr::drop_in_place(ptr::slice_from_raw_parts_mut(self.first, self.count)) };
    }
}

/// Calls `init` for every index with its element's address. When that fails or
/// panics, the elements before are dropped.
///
/// # Safety
///
/// `slot` is valid for writes, aligned and nobody else's. `init` initialises the
/// element it gets if it returns `Ok`.
#[inline]
unsafe fn fill<T, E, const N: usize>(
    slot: *mut [T; N],
    mut init: impl FnMut(usize, *mut T) -> Result<(), E>,
) -> Result<(), E> {
    let mut made = Made {
        first: slot.cast::<T>(),
        count: 0,
    };
    while made.count < N {
        // SAFETY: the index is less than the array's length.
        let element = unsafe { made.first.add(made.count) };
        init(made.count, element)?;
        made.count += 1;
    }
    forget(made);
    Ok(())
}

/// Makes an initialiser of an array from a function that makes one for each index.
///
/// The elements are made in their order. When one fails, those before it are dropped.
///
/// # Errors
///
/// The initialiser's error is the first that an element's has.
///
/// # Examples
///
/// ```
/// use pin_init::{init_array_from_fn, stack_pin_init};
///
/// stack_pin_init!(let squares: [usize; 100] = init_array_from_fn(|i| i * i));
/// assert_eq!(squares[99], 9801);
/// ```
#[inline]
pub fn init_array_from_fn<I, const N: usize, T, E>(
    mut make_init: impl FnMut(usize) -> I,
) -> impl Init<[T; N], E>
where
    I: Init<T, E>,
{
    // SAFETY: `fill` initialises all elements, or leaves none; `__init` gets a place in
    // the slot, which is valid, aligned and nobody else's.
    unsafe {
        init_from_closure(move |slot: *mut [T; N]| {
            fill(slot, |i, element| make_init(i).__init(element))
        })
    }
}

/// Makes an initialiser of a pinned array from a function that makes one for each
/// index.
///
/// The elements are made in their order. When one fails, those before it are dropped.
///
/// # Errors
///
/// The initialiser's error is the first that an element's has.
///
/// # Examples
///
/// ```
/// use pin_init::{pin_data, pin_init, pin_init_array_from_fn, stack_pin_init, PinInit};
///
/// #[pin_data]
/// struct Queue {
///     number: usize,
///     #[pin]
///     _pin: core::marker::PhantomPinned,
/// }
///
/// fn queue(number: usize) -> impl PinInit<Queue> {
///     pin_init!(Queue { number, _pin: core::marker::PhantomPinned })
/// }
///
/// stack_pin_init!(let queues: [Queue; 8] = pin_init_array_from_fn(queue));
/// assert_eq!(queues[7].number, 7);
/// ```
#[inline]
pub fn pin_init_array_from_fn<I, const N: usize, T, E>(
    mut make_init: impl FnMut(usize) -> I,
) -> impl PinInit<[T; N], E>
where
    I: PinInit<T, E>,
{
    // SAFETY: `fill` initialises all elements, or leaves none; `__pinned_init` gets a
    // place in the slot, which is valid, aligned, nobody else's, and pinned as a whole.
    unsafe {
        pin_init_from_closure(move |slot: *mut [T; N]| {
            fill(slot, |i, element| make_init(i).__pinned_init(element))
        })
    }
}
