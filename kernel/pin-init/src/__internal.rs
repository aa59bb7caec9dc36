// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the macros write refers to these. They are no one else's to use.
//!
//! The macros take even `Ok` and `drop` from here: the user's crate may have something
//! else by these names.

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

/// The type that a macro's path names. It decides what else the compiler infers.
pub struct PinnedFields<T>(PhantomData<fn(T) -> T>);

/// The same for `init!`, which knows no pinned fields.
pub struct MovedFields<T>(PhantomData<fn(T) -> T>);

/// Takes two closures that are compiled and never run: see `checks` in the macros.
#[inline(always)]
pub fn pinned_fields_of<T: HasPinData>(
    _make: impl FnOnce() -> T,
    _check: impl FnOnce(&T),
) -> PinnedFields<T> {
    PinnedFields(PhantomData)
}

/// Takes two closures that are compiled and never run: see `checks` in the macros.
#[inline(always)]
pub fn moved_fields_of<T>(_make: impl FnOnce() -> T, _check: impl FnOnce(&T)) -> MovedFields<T> {
    MovedFields(PhantomData)
}

// By hand, for `T` itself need not be `Copy`.
impl<T> Clone for PinnedFields<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for PinnedFields<T> {}

impl<T> PinnedFields<T> {
    /// Tells the compiler the closure's type.
    #[inline(always)]
    pub fn closure<F, E>(self, f: F) -> F
    where
        F: FnOnce(*mut T) -> Result<Complete<T>, E>,
    {
        f
    }
}

impl<T: HasPinData> PinnedFields<T> {
    /// For each field a method that says whether it is pinned.
    #[inline(always)]
    pub fn markers(self) -> T::Markers {
        T::MARKERS
    }
}

impl<T> MovedFields<T> {
    /// Tells the compiler the closure's type.
    #[inline(always)]
    pub fn closure<F, E>(self, f: F) -> F
    where
        F: FnOnce(*mut T) -> Result<Complete<T>, E>,
    {
        f
    }
}

/// A value in code that is compiled and never run.
pub fn any<T>() -> T {
    unreachable!()
}

/// Every type has its function, and no enum's variant.
pub trait NamesAType {
    /// Does nothing.
    fn __names_a_type(&self) {}
}

impl<T: ?Sized> NamesAType for T {}

/// The proof that all fields of a `T` are initialised.
pub struct Complete<T>(PhantomData<fn(T) -> T>);

impl<T> Complete<T> {
    /// Makes one.
    ///
    /// # Safety
    ///
    /// All fields are initialised, and no guard drops them.
    #[inline(always)]
    pub unsafe fn new() -> Self {
        Self(PhantomData)
    }
}

/// Makes `pin_init!`'s initialiser.
///
/// # Safety
///
/// When `f` returns no [`Complete`], or panics, no field is left to be dropped. It may
/// rely on what [`PinInit::__pinned_init`]'s caller promises.
#[inline(always)]
pub unsafe fn pin_init<T, E, F>(f: F) -> impl PinInit<T, E>
where
    F: FnOnce(*mut T) -> Result<Complete<T>, E>,
{
    // SAFETY: `Complete` proves that the slot holds a valid value; what else is asked for
    // is the caller's promise.
    unsafe { pin_init_from_closure(move |slot| f(slot).map(|_| ())) }
}

/// Makes `init!`'s initialiser.
///
/// # Safety
///
/// When `f` returns no [`Complete`], or panics, no field is left to be dropped. It may
/// rely on what [`Init::__init`]'s caller promises.
#[inline(always)]
pub unsafe fn init<T, E, F>(f: F) -> impl Init<T, E>
where
    F: FnOnce(*mut T) -> Result<Complete<T>, E>,
{
    // SAFETY: `Complete` proves that the slot holds a valid value; what else is asked for
    // is the caller's promise.
    unsafe { init_from_closure(move |slot| f(slot).map(|_| ())) }
}

/// Zeroes what `..Zeroable::init_zeroed()` is written for.
///
/// # Safety
///
/// `slot` is valid for writes and aligned.
#[inline(always)]
pub unsafe fn zero<T: Zeroable>(slot: *mut T) {
    // SAFETY: `write_bytes` wants a place that is valid for writes and aligned, which the
    // caller promises; zeros are a value by `Zeroable`.
    unsafe { slot.write_bytes(0, 1) };
}

/// The place of a field without a value. `P` is [`Pinned`] or [`Unpinned`].
///
/// # Invariants
///
/// The pointer is valid for writes, aligned, and only the slot uses it. If `P` is
/// `Pinned`, what is written there is pinned.
pub struct Slot<P, T: ?Sized>(*mut T, PhantomData<P>);

impl<P, T: ?Sized> Slot<P, T> {
    /// Makes one.
    ///
    /// # Safety
    ///
    /// The invariants hold.
    #[inline(always)]
    pub unsafe fn new(_: P, place: *mut T) -> Self {
        Self(place, PhantomData)
    }

    /// Moves a value there.
    #[inline(always)]
    pub fn write(self, value: T) -> Guard<P, T>
    where
        T: Sized,
    {
        // SAFETY: by the invariants, it is valid for writes, aligned and ours.
        unsafe { self.0.write(value) };
        Guard(self.0, PhantomData)
    }
}

impl<T: ?Sized> Slot<Pinned, T> {
    /// Runs an initialiser there.
    #[inline(always)]
    pub fn init<E>(self, init: impl PinInit<T, E>) -> Result<Guard<Pinned, T>, E> {
        // SAFETY: by the invariants, it is valid for writes, aligned and ours, and the
        // value will be pinned. After an error it is not used any more.
        unsafe { init.__pinned_init(self.0)? };
        Ok(Guard(self.0, PhantomData))
    }
}

impl<T: ?Sized> Slot<Unpinned, T> {
    /// Runs an initialiser there.
    #[inline(always)]
    pub fn init<E>(self, init: impl Init<T, E>) -> Result<Guard<Unpinned, T>, E> {
        // SAFETY: by the invariants, it is valid for writes, aligned and ours. After an
        // error it is not used any more.
        unsafe { init.__init(self.0)? };
        Ok(Guard(self.0, PhantomData))
    }
}

/// Owns a field's value until all fields have one, and is forgotten then.
///
/// # Invariants
///
/// The pointer is a slot's, and a value was written there.
pub struct Guard<P, T: ?Sized>(*mut T, PhantomData<P>);

impl<T: ?Sized> Guard<Pinned, T> {
    /// Lends the value, for no longer than until the guard is forgotten.
    #[inline(always)]
    pub fn get(&mut self) -> Pin<&mut T> {
        // SAFETY: by the invariants the value is valid, ours, and pinned.
        unsafe { Pin::new_unchecked(&mut *self.0) }
    }
}

impl<T: ?Sized> Guard<Unpinned, T> {
    /// Lends the value, for no longer than until the guard is forgotten.
    #[inline(always)]
    pub fn get(&mut self) -> &mut T {
        // SAFETY: by the invariants the value is valid and ours.
        unsafe { &mut *self.0 }
    }
}

impl<P, T: ?Sized> Drop for Guard<P, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: by the invariants the value is valid and ours. A guard that is still there
        // means that the struct will never be complete, so nobody else drops it.
        unsafe { ptr::drop_in_place(self.0) };
    }
}

/// Is `Unpin` if `T` is.
pub struct PinnedField<'a, T: ?Sized>(PhantomData<&'a ()>, T);

/// The body of the `Drop` that `#[pin_data]` implements.
///
/// # Safety
///
/// `Drop::drop` calls it, once, with its own `self`.
#[inline(always)]
pub unsafe fn drop_pinned<T: PinnedDrop + ?Sized>(this: &mut T) {
    // SAFETY: the value is being dropped, so it does not move any more; nor did it since
    // it was pinned, if it was.
    let this = unsafe { Pin::new_unchecked(this) };
    this.drop(OnlyCallFromDrop(()));
}

/// A place on the stack, for `stack_pin_init!`.
pub struct StackInit<T> {
    value: MaybeUninit<T>,
    /// Whether there is a value.
    is_init: bool,
}

impl<T> StackInit<T> {
    /// A place without a value.
    #[inline(always)]
    pub fn uninit() -> Self {
        Self {
            value: MaybeUninit::uninit(),
            is_init: false,
        }
    }

    fn clear(&mut self) {
        if core::mem::take(&mut self.is_init) {
            // SAFETY: `is_init` said that there is a value, and is now reset, so nobody
            // drops it again.
            unsafe { self.value.assume_init_drop() };
        }
    }

    /// Drops the value if there is one, and makes a new one.
    #[inline(always)]
    pub fn init<E>(self: Pin<&mut Self>, init: impl PinInit<T, E>) -> Result<Pin<&mut T>, E> {
        // SAFETY: nothing is moved out of it, and the value is handed out pinned.
        let this = unsafe { Pin::get_unchecked_mut(self) };
        this.clear();
        // SAFETY: the memory is valid, aligned and borrowed, and holds no value. It is
        // pinned and drops the value before it goes, so the value is.
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

/// Takes the type of what is pointed at, for `assert_pinned!`.
pub fn type_of<T: ?Sized>(_: *const T) -> PhantomData<fn(*mut T) -> *mut T> {
    PhantomData
}

/// Names a type as [`type_of`] does.
pub type Is<T> = PhantomData<fn(*mut T) -> *mut T>;
