// SPDX-License-Identifier: MIT OR Apache-2.0

//! Initialisers of arrays.

use core::{mem::forget, ptr};

use crate::initializer::{init_from_closure, pin_init_from_closure, Init, PinInit};

/// A guard that owns the elements which are initialised already.
struct InitializedElements<T> {
    first: *mut T,
    count: usize,
}

impl<T> Drop for InitializedElements<T> {
    fn drop(&mut self) {
        // SAFETY: `fill` counts an element once it is initialised, in the order of the array, and
        // only the guard owns those that are counted.
        unsafe { ptr::drop_in_place(ptr::slice_from_raw_parts_mut(self.first, self.count)) };
    }
}

/// Calls `init` for each index with the address of the element.
///
/// If that fails or panics, the previous elements are dropped.
///
/// # Safety
///
/// `slot` must be valid for writes and aligned, and nobody else may use it. `init` must initialise
/// the element that it is given if it returns `Ok`.
#[inline]
unsafe fn fill<T, E, const N: usize>(
    slot: *mut [T; N],
    mut init: impl FnMut(usize, *mut T) -> Result<(), E>,
) -> Result<(), E> {
    let mut made = InitializedElements {
        first: slot.cast::<T>(),
        count: 0,
    };
    while made.count < N {
        // SAFETY: the index is less than the length of the array.
        let element = unsafe { made.first.add(made.count) };
        init(made.count, element)?;
        made.count += 1;
    }
    forget(made);
    Ok(())
}

/// Creates an initialiser of an array from a function that returns one for each index.
///
/// The elements are initialised in order. If one fails, the previous ones are dropped.
///
/// # Errors
///
/// The error of the first element that fails.
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
    // SAFETY: `fill` initialises all elements, or leaves none. `__init` gets the address of an
    // element in the slot, which is valid and aligned, and which nobody else uses.
    unsafe {
        init_from_closure(move |slot: *mut [T; N]| {
            fill(slot, |i, element| make_init(i).__init(element))
        })
    }
}

/// Creates an initialiser of a pinned array from a function that returns one for each index.
///
/// The elements are initialised in order. If one fails, the previous ones are dropped.
///
/// # Errors
///
/// The error of the first element that fails.
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
    // SAFETY: `fill` initialises all elements, or leaves none. `__pinned_init` gets the address of
    // an element in the slot, which is valid and aligned, which nobody else uses, and which is
    // pinned as a whole.
    unsafe {
        pin_init_from_closure(move |slot: *mut [T; N]| {
            fill(slot, |i, element| make_init(i).__pinned_init(element))
        })
    }
}
