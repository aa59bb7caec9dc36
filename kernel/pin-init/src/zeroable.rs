// SPDX-License-Identifier: MIT OR Apache-2.0

//! Types for which memory that is all zero is a valid value.

use core::{
    cell::UnsafeCell,
    marker::{PhantomData, PhantomPinned},
    mem::MaybeUninit,
    num::{NonZero, Wrapping},
    ptr::NonNull,
};

use crate::initializer::{init_from_closure, Init};

/// A type for which memory that is all zero is a valid value.
///
/// [`#[derive(Zeroable)]`](macro@crate::Zeroable) implements it for structs, and
/// `..Zeroable::init_zeroed()` in [`pin_init!`](crate::pin_init!) and [`init!`](crate::init!)
/// requires it.
///
/// # Safety
///
/// `size_of::<Self>()` bytes of zero must be a valid `Self`.
///
/// # Examples
///
/// ```
/// use pin_init::Zeroable;
///
/// assert_eq!(<[u16; 4]>::zeroed(), [0; 4]);
/// assert_eq!(Option::<&u8>::zeroed(), None);
/// ```
pub unsafe trait Zeroable {
    /// A constant that the derive macros define, so that no other trait can be mistaken for this
    /// one.
    #[doc(hidden)]
    const __DERIVED: () = ();

    /// Creates an initialiser that writes zeros.
    #[inline]
    fn init_zeroed() -> impl Init<Self>
    where
        Self: Sized,
    {
        init_zeroed()
    }

    /// Returns the value that is all zero.
    #[inline]
    fn zeroed() -> Self
    where
        Self: Sized,
    {
        zeroed()
    }
}

/// Creates an initialiser that writes zeros.
///
/// Unlike [`zeroed`] it needs no stack for the value.
///
/// # Examples
///
/// ```
/// use pin_init::{init_zeroed, stack_pin_init};
///
/// stack_pin_init!(let page = init_zeroed::<[u8; 4096]>());
/// assert_eq!(page[4095], 0);
/// ```
#[inline]
pub fn init_zeroed<T: Zeroable>() -> impl Init<T> {
    // SAFETY: the slot is valid for writes and aligned, and by `Zeroable` the zeros in it are a
    // valid value. This cannot fail.
    unsafe {
        init_from_closure(|slot: *mut T| {
            slot.write_bytes(0, 1);
            Ok(())
        })
    }
}

/// Returns the value that is all zero.
///
/// # Examples
///
/// ```
/// static TABLE: [u32; 256] = pin_init::zeroed();
/// assert_eq!(TABLE[255], 0);
/// ```
#[inline]
pub const fn zeroed<T: Zeroable>() -> T {
    // SAFETY: by `Zeroable`, zeros are a valid value.
    unsafe { core::mem::zeroed() }
}

/// A type whose `Option` is all zero if it is `None`.
///
/// Unlike upstream, references and [`NonNull`] implement this only if their target is `Sized`: the
/// standard library guarantees only for those that zeros are `None`.
///
/// # Safety
///
/// `size_of::<Option<Self>>()` bytes of zero must be a valid `Option<Self>`.
///
/// # Examples
///
/// ```
/// use core::ptr::NonNull;
///
/// assert_eq!(pin_init::zeroed::<Option<NonNull<u32>>>(), None);
/// ```
pub unsafe trait ZeroableOption {}

// SAFETY: this is the requirement of `ZeroableOption`.
unsafe impl<T: ZeroableOption> Zeroable for Option<T> {}

/// Implements a trait for many types.
///
/// Each group of types has its own safety comment.
macro_rules! implement {
    ($trait:ident: $($({$($generics:tt)*})? $type:ty,)*) => {
        // SAFETY: each group of types has its own comment.
        $(unsafe impl $(<$($generics)*>)? $trait for $type {})*
    };
}

implement! {
    Zeroable:
    // SAFETY: zero is `false`, U+0000, the number 0 or 0.0.
    bool, char, u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64,
    // SAFETY: these types have no bytes and one value.
    (), PhantomPinned, {T: ?Sized} PhantomData<T>,
    // SAFETY: all bytes are valid.
    {T} MaybeUninit<T>,
    // SAFETY: these types have the layout of their only field, and are valid if that is.
    {T: ?Sized + Zeroable} UnsafeCell<T>, {T: Zeroable} Wrapping<T>,
    // SAFETY: every element is valid, and an array contains nothing else.
    {T: Zeroable, const N: usize} [T; N],
    // SAFETY: null is a valid pointer, and zero a valid length.
    {T} *const T, {T} *mut T, {T} *const [T], {T} *mut [T], *const str, *mut str,
}

implement! {
    ZeroableOption:
    // SAFETY: the standard library guarantees for these types that `None` is all zero ("the null
    // pointer optimization").
    {'a, T} &'a T, {'a, T} &'a mut T, {T} NonNull<T>,
    NonZero<u8>, NonZero<u16>, NonZero<u32>, NonZero<u64>, NonZero<u128>, NonZero<usize>,
    NonZero<i8>, NonZero<i16>, NonZero<i32>, NonZero<i64>, NonZero<i128>, NonZero<isize>,
}

/// Implements `Zeroable` for the tuple of all names, and for those of all shorter tails.
macro_rules! implement_tuples {
    () => {};
    ($first:ident $($rest:ident)*) => {
        // SAFETY: every element is valid, and the bytes between them may have any value.
        unsafe impl<$first: Zeroable $(, $rest: Zeroable)*> Zeroable for ($first, $($rest,)*) {}
        implement_tuples!($($rest)*);
    };
}

implement_tuples!(A B C D E F G H I J);

/// Implements `ZeroableOption` for functions with all arguments, and with all shorter tails.
macro_rules! implement_functions {
    ($($argument:ident)*) => {
        // SAFETY: the standard library guarantees for function pointers that `None` is all zero.
        implement! {
            ZeroableOption:
            {R $(, $argument)*} fn($($argument),*) -> R,
            {R $(, $argument)*} unsafe fn($($argument),*) -> R,
            {R $(, $argument)*} extern "C" fn($($argument),*) -> R,
            {R $(, $argument)*} unsafe extern "C" fn($($argument),*) -> R,
        }
        implement_functions!(@shorter $($argument)*);
    };
    (@shorter) => {};
    (@shorter $first:ident $($rest:ident)*) => { implement_functions!($($rest)*); };
}

implement_functions!(A B C D E F G H I J K L M N O P Q S T U);
