// SPDX-License-Identifier: MIT OR Apache-2.0

//! Items that the output of the macros uses. Nobody else may use them.
//!
//! The macros take even `Ok` and `drop` from here, because the user's crate may use these names for
//! something else.

#[doc(no_inline)]
pub use core::{
    convert::Infallible,
    marker::{PhantomData, Sized, Unpin},
    mem::forget,
    ops::Drop,
    pin::{pin, Pin},
    ptr::NonNull,
    result::Result,
};

pub use koru_pin_init_macros::{__PinData as PinData, __init, __pinned_drop};

pub use crate::pin_data::{HasPinData, OnlyCallFromDrop, Pinned, Unpinned};

use core::{mem::MaybeUninit, ptr};

use crate::{
    initializer::{init_from_closure, pin_init_from_closure, Init, PinInit},
    pinned_drop::PinnedDrop,
    zeroable::Zeroable,
};

/// The type that the path in `pin_init!` names, from which the compiler infers the other types.
pub struct PinnedFields<T>(PhantomData<fn(T) -> T>);

/// The type that the path in `init!` names, from which the compiler infers the other types.
pub struct MovedFields<T>(PhantomData<fn(T) -> T>);

/// Infers a type from two closures that are compiled but never run; see `checks` in the macros.
#[inline(always)]
pub fn pinned_fields_of<T: HasPinData>(
    _make: impl FnOnce() -> T,
    _check: impl FnOnce(&T),
) -> PinnedFields<T> {
    PinnedFields(PhantomData)
}

/// Infers a type from two closures that are compiled but never run; see `checks` in the macros.
#[inline(always)]
pub fn moved_fields_of<T>(_make: impl FnOnce() -> T, _check: impl FnOnce(&T)) -> MovedFields<T> {
    MovedFields(PhantomData)
}

// These are implemented by hand, because `T` itself need not be `Copy`.
impl<T> Clone for PinnedFields<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for PinnedFields<T> {}

impl<T> PinnedFields<T> {
    /// Sets the type of the closure for the compiler.
    #[inline(always)]
    pub fn closure<F, E>(self, f: F) -> F
    where
        F: FnOnce(*mut T) -> Result<Complete<T>, E>,
    {
        f
    }
}

impl<T: HasPinData> PinnedFields<T> {
    /// Returns a value that has, for each field, a method which says whether the field is pinned.
    #[inline(always)]
    pub fn markers(self) -> T::Markers {
        T::MARKERS
    }
}

impl<T> MovedFields<T> {
    /// Sets the type of the closure for the compiler.
    #[inline(always)]
    pub fn closure<F, E>(self, f: F) -> F
    where
        F: FnOnce(*mut T) -> Result<Complete<T>, E>,
    {
        f
    }
}

/// Stands for a value in code that is compiled but never run.
pub fn any<T>() -> T {
    unreachable!()
}

/// A trait whose method every type has, but no variant of an enum.
pub trait NamesAType {
    /// Does nothing.
    fn __names_a_type(&self) {}
}

impl<T: ?Sized> NamesAType for T {}

/// The proof that all fields of a `T` are initialised.
pub struct Complete<T>(PhantomData<fn(T) -> T>);

impl<T> Complete<T> {
    /// Creates the proof.
    ///
    /// # Safety
    ///
    /// All fields must be initialised, and no guard must drop them.
    #[inline(always)]
    pub unsafe fn new() -> Self {
        Self(PhantomData)
    }
}

/// Creates the initialiser of `pin_init!`.
///
/// # Safety
///
/// If `f` returns no [`Complete`], or panics, no field may be left to be dropped. `f` may rely on
/// the requirements of [`PinInit::__pinned_init`].
#[inline(always)]
pub unsafe fn pin_init<T, E, F>(f: F) -> impl PinInit<T, E>
where
    F: FnOnce(*mut T) -> Result<Complete<T>, E>,
{
    // SAFETY: a `Complete` proves that the slot holds a valid value. The other requirements are
    // those of this function.
    unsafe { pin_init_from_closure(move |slot| f(slot).map(|_| ())) }
}

/// Creates the initialiser of `init!`.
///
/// # Safety
///
/// If `f` returns no [`Complete`], or panics, no field may be left to be dropped. `f` may rely on
/// the requirements of [`Init::__init`].
#[inline(always)]
pub unsafe fn init<T, E, F>(f: F) -> impl Init<T, E>
where
    F: FnOnce(*mut T) -> Result<Complete<T>, E>,
{
    // SAFETY: a `Complete` proves that the slot holds a valid value. The other requirements are
    // those of this function.
    unsafe { init_from_closure(move |slot| f(slot).map(|_| ())) }
}

/// Zeroes a struct, for `..Zeroable::init_zeroed()`.
///
/// # Safety
///
/// `slot` must be valid for writes and aligned.
#[inline(always)]
pub unsafe fn zero<T: Zeroable>(slot: *mut T) {
    // SAFETY: `write_bytes` takes a pointer that is valid for writes and aligned, which `slot` is
    // by this function's contract. By `T: Zeroable` the zeros are a valid value.
    unsafe { slot.write_bytes(0, 1) };
}

/// The place of a field without a value; `P` is [`Pinned`] or [`Unpinned`].
///
/// # Invariants
///
/// The pointer is valid for writes and aligned, and only the slot uses it. If `P` is `Pinned`, a
/// value that is written there is pinned.
pub struct Slot<P, T: ?Sized>(*mut T, PhantomData<P>);

impl<P, T: ?Sized> Slot<P, T> {
    /// Creates a slot.
    ///
    /// # Safety
    ///
    /// `place` must be valid for writes and aligned, and only the slot may use it. If `P` is
    /// `Pinned`, a value that is written there must be treated as pinned.
    #[inline(always)]
    pub unsafe fn new(_: P, place: *mut T) -> Self {
        Self(place, PhantomData)
    }

    /// Moves a value into the place.
    #[inline(always)]
    pub fn write(self, value: T) -> Guard<P, T>
    where
        T: Sized,
    {
        // SAFETY: by the type's invariant the pointer is valid for writes and aligned, and ours.
        unsafe { self.0.write(value) };
        Guard(self.0, PhantomData)
    }
}

impl<T: ?Sized> Slot<Pinned, T> {
    /// Runs an initialiser in the place.
    #[inline(always)]
    pub fn init<E>(self, init: impl PinInit<T, E>) -> Result<Guard<Pinned, T>, E> {
        // SAFETY: by the type's invariant the pointer is valid for writes and aligned, and ours,
        // and the value will be pinned. After an error the place is not used again.
        unsafe { init.__pinned_init(self.0)? };
        Ok(Guard(self.0, PhantomData))
    }
}

impl<T: ?Sized> Slot<Unpinned, T> {
    /// Runs an initialiser in the place.
    #[inline(always)]
    pub fn init<E>(self, init: impl Init<T, E>) -> Result<Guard<Unpinned, T>, E> {
        // SAFETY: by the type's invariant the pointer is valid for writes and aligned, and ours.
        // After an error the place is not used again.
        unsafe { init.__init(self.0)? };
        Ok(Guard(self.0, PhantomData))
    }
}

/// A guard that owns the value of a field until all fields have one, and is forgotten then.
///
/// # Invariants
///
/// The pointer is that of a slot, and a value was written there.
pub struct Guard<P, T: ?Sized>(*mut T, PhantomData<P>);

impl<T: ?Sized> Guard<Pinned, T> {
    /// Borrows the value, at most until the guard is forgotten.
    #[inline(always)]
    pub fn get(&mut self) -> Pin<&mut T> {
        // SAFETY: by the type's invariant the value is valid, ours, and pinned.
        unsafe { Pin::new_unchecked(&mut *self.0) }
    }
}

impl<T: ?Sized> Guard<Unpinned, T> {
    /// Borrows the value, at most until the guard is forgotten.
    #[inline(always)]
    pub fn get(&mut self) -> &mut T {
        // SAFETY: by the type's invariant the value is valid and ours.
        unsafe { &mut *self.0 }
    }
}

impl<P, T: ?Sized> Drop for Guard<P, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: by the type's invariant the value is valid and ours. A guard that still exists
        // means that the struct will never be complete, so nobody else drops the value.
        unsafe { ptr::drop_in_place(self.0) };
    }
}

/// A type that is `Unpin` if `T` is.
pub struct PinnedField<'a, T: ?Sized>(PhantomData<&'a ()>, T);

/// Runs the `Drop` that `#[pin_data]` implements.
///
/// # Safety
///
/// Only `Drop::drop` may call this, once, with its own `self`.
#[inline(always)]
pub unsafe fn drop_pinned<T: PinnedDrop + ?Sized>(this: &mut T) {
    // SAFETY: by this function's contract the value is being dropped, so it does not move any more.
    // It has not moved since it was pinned, if it was.
    let this = unsafe { Pin::new_unchecked(this) };
    this.drop(OnlyCallFromDrop(()));
}

/// A place on the stack, for `stack_pin_init!`.
pub struct StackInit<T> {
    value: MaybeUninit<T>,
    /// Whether the place holds a value.
    is_init: bool,
}

impl<T> StackInit<T> {
    /// Creates a place without a value.
    #[inline(always)]
    pub fn uninit() -> Self {
        Self {
            value: MaybeUninit::uninit(),
            is_init: false,
        }
    }

    fn clear(&mut self) {
        if core::mem::take(&mut self.is_init) {
            // SAFETY: `is_init` was true, so there is a value. It is false now, so nobody drops the
            // value again.
            unsafe { self.value.assume_init_drop() };
        }
    }

    /// Drops the value if there is one, and initialises a new one.
    #[inline(always)]
    pub fn init<E>(self: Pin<&mut Self>, init: impl PinInit<T, E>) -> Result<Pin<&mut T>, E> {
        // SAFETY: nothing is moved out of the place, and the value is returned pinned.
        let this = unsafe { Pin::get_unchecked_mut(self) };
        this.clear();
        // SAFETY: the memory is valid, aligned and borrowed, and holds no value. It is pinned, and
        // the value is dropped before the memory is freed, so the value is pinned.
        unsafe { init.__pinned_init(this.value.as_mut_ptr())? };
        this.is_init = true;
        // SAFETY: the initialiser returned `Ok`, so there is a value, which is pinned.
        Ok(unsafe { Pin::new_unchecked(this.value.assume_init_mut()) })
    }
}

impl<T> Drop for StackInit<T> {
    #[inline(always)]
    fn drop(&mut self) {
        self.clear();
    }
}

/// Returns the type of a pointer's target as a value, for `assert_pinned!`.
pub fn type_of<T: ?Sized>(_: *const T) -> PhantomData<fn(*mut T) -> *mut T> {
    PhantomData
}

/// The type of the values that [`type_of`] returns.
pub type Is<T> = PhantomData<fn(*mut T) -> *mut T>;
