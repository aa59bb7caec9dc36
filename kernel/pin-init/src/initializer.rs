// SPDX-License-Identifier: MIT OR Apache-2.0

//! The two traits of initialisers, and functions that create one without a macro.

use core::{convert::Infallible, marker::PhantomData, mem::MaybeUninit, pin::Pin};

/// An initialiser of a `T` that is pinned from then on.
///
/// [`pin_init!`](crate::pin_init!), functions of types that must be pinned, and the functions of
/// this crate create one. Every value initialises its own type, and every `Result<T, E>`
/// initialises a `T` or fails. An initialiser does nothing until it is run.
///
/// # Safety
///
/// [`__pinned_init`](PinInit::__pinned_init) must return `Ok` only if `*slot` is a valid `T`. If it
/// returns `Err` or panics, nothing that has to be dropped may be left in the slot, and nothing may
/// refer to it.
///
/// # Examples
///
/// ```
/// use pin_init::{pin_data, pin_init, stack_pin_init, PinInit};
///
/// #[pin_data]
/// struct Timer {
///     period: u32,
/// }
///
/// fn every(milliseconds: u32) -> impl PinInit<Timer> {
///     pin_init!(Timer { period: milliseconds })
/// }
///
/// stack_pin_init!(let timer = every(20));
/// assert_eq!(timer.period, 20);
/// ```
#[must_use = "an initialiser does nothing until it is run in a place"]
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not initialise a pinned `{T}` with the error `{E}`"
)]
pub unsafe trait PinInit<T: ?Sized, E = Infallible>: Sized {
    /// Initialises `*slot`.
    ///
    /// # Errors
    ///
    /// The error of the initialiser. The slot is uninitialised then.
    ///
    /// # Safety
    ///
    /// `slot` must be valid for writes and aligned, and nobody else may use it; its old content is
    /// not dropped. After `Ok`, the caller must treat `*slot` as pinned: it must not move, and its
    /// memory must not be reused before it was dropped.
    unsafe fn __pinned_init(self, slot: *mut T) -> Result<(), E>;

    /// Runs `f` with the value after it was initialised.
    ///
    /// If `f` fails, the value is dropped, and the initialiser returns the error of `f`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pin_init::{init, stack_try_pin_init, Init, PinInit};
    ///
    /// struct Level(u8);
    /// fn level(of: u8) -> impl Init<Level, &'static str> {
    ///     Ok(Level(of))
    /// }
    ///
    /// let low = level(3).pin_chain(|level| if level.0 > 2 { Err("too high") } else { Ok(()) });
    /// stack_try_pin_init!(let low = low);
    /// assert_eq!(low.err(), Some("too high"));
    /// ```
    fn pin_chain<F>(self, f: F) -> ChainPinInit<Self, F, T, E>
    where
        F: FnOnce(Pin<&mut T>) -> Result<(), E>,
    {
        ChainPinInit {
            init: self,
            then: f,
            _types: PhantomData,
        }
    }
}

/// An initialiser of a `T` that may move afterwards.
///
/// It is also a [`PinInit`]. [`init!`](crate::init!) creates one.
///
/// # Safety
///
/// The requirements of [`PinInit`] must be met, and [`__init`](Init::__init) must not rely on the
/// value staying in its place. [`__pinned_init`](PinInit::__pinned_init) must do what `__init`
/// does.
///
/// # Examples
///
/// ```
/// use pin_init::{init, stack_pin_init, Init};
///
/// struct Big {
///     page: [u8; 4096],
///     used: usize,
/// }
///
/// fn big() -> impl Init<Big> {
///     init!(Big { page <- pin_init::init_zeroed(), used: 0 })
/// }
///
/// stack_pin_init!(let big = big());
/// assert_eq!(big.page[big.used], 0);
/// ```
#[must_use = "an initialiser does nothing until it is run in a place"]
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not initialise an unpinned `{T}` with the error `{E}`",
    note = "a field that needs a `PinInit` is marked `#[pin]` and initialised by `pin_init!`"
)]
pub unsafe trait Init<T: ?Sized, E = Infallible>: PinInit<T, E> {
    /// Initialises `*slot`.
    ///
    /// # Errors
    ///
    /// The error of the initialiser. The slot is uninitialised then.
    ///
    /// # Safety
    ///
    /// `slot` must be valid for writes and aligned, and nobody else may use it; its old content is
    /// not dropped.
    unsafe fn __init(self, slot: *mut T) -> Result<(), E>;

    /// Runs `f` with the value after it was initialised.
    ///
    /// If `f` fails, the value is dropped, and the initialiser returns the error of `f`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pin_init::{init_zeroed, stack_pin_init, Init};
    ///
    /// let first_is_one = init_zeroed::<[u8; 512]>().chain(|bytes| {
    ///     bytes[0] = 1;
    ///     Ok(())
    /// });
    /// stack_pin_init!(let bytes: [u8; 512] = first_is_one);
    /// assert_eq!(bytes[..2], [1, 0]);
    /// ```
    fn chain<F>(self, f: F) -> ChainInit<Self, F, T, E>
    where
        F: FnOnce(&mut T) -> Result<(), E>,
    {
        ChainInit {
            init: self,
            then: f,
            _types: PhantomData,
        }
    }
}

/// The initialiser that [`PinInit::pin_chain`] returns.
pub struct ChainPinInit<I, F, T: ?Sized, E> {
    pub(crate) init: I,
    pub(crate) then: F,
    _types: PhantomData<fn(*mut T, E)>,
}

/// The initialiser that [`Init::chain`] returns.
pub struct ChainInit<I, F, T: ?Sized, E> {
    pub(crate) init: I,
    pub(crate) then: F,
    _types: PhantomData<fn(*mut T, E)>,
}

/// A closure whose creator has asserted that it initialises a `T`.
struct Closure<F, T: ?Sized>(F, PhantomData<fn(*mut T) -> *mut T>);

// SAFETY: by the contracts of `init_from_closure` and `pin_init_from_closure`, which create all of
// them, the closure meets the requirements of `PinInit`.
unsafe impl<T: ?Sized, E, F> PinInit<T, E> for Closure<F, T>
where
    F: FnOnce(*mut T) -> Result<(), E>,
{
    #[inline]
    unsafe fn __pinned_init(self, slot: *mut T) -> Result<(), E> {
        (self.0)(slot)
    }
}

// SAFETY: the result of `pin_init_from_closure` hides this implementation. By the contract of
// `init_from_closure` the closure meets the requirements of `Init`.
unsafe impl<T: ?Sized, E, F> Init<T, E> for Closure<F, T>
where
    F: FnOnce(*mut T) -> Result<(), E>,
{
    #[inline]
    unsafe fn __init(self, slot: *mut T) -> Result<(), E> {
        (self.0)(slot)
    }
}

/// Creates an initialiser from a closure.
///
/// # Safety
///
/// The closure must initialise the slot that it is given, as [`PinInit`] requires. It may rely on
/// the requirements of [`PinInit::__pinned_init`].
///
/// # Examples
///
/// ```
/// use pin_init::{pin_init_from_closure, stack_pin_init, PinInit};
///
/// fn number() -> impl PinInit<u32> {
///     // SAFETY: a valid number is written, and nothing can fail.
///     unsafe {
///         pin_init_from_closure(|slot: *mut u32| {
///             slot.write(7);
///             Ok(())
///         })
///     }
/// }
///
/// stack_pin_init!(let number = number());
/// assert_eq!(*number, 7);
/// ```
#[inline]
pub const unsafe fn pin_init_from_closure<T: ?Sized, E>(
    f: impl FnOnce(*mut T) -> Result<(), E>,
) -> impl PinInit<T, E> {
    Closure(f, PhantomData)
}

/// Creates an initialiser from a closure, for a value that may move.
///
/// # Safety
///
/// The closure must initialise the slot that it is given, as [`Init`] requires. It may rely on the
/// requirements of [`Init::__init`].
///
/// # Examples
///
/// ```
/// use pin_init::{init_from_closure, stack_pin_init, Init};
///
/// fn alternating() -> impl Init<[u8; 64]> {
///     // SAFETY: all elements are written, and nothing can fail.
///     unsafe {
///         init_from_closure(|slot: *mut [u8; 64]| {
///             for i in 0..64 {
///                 slot.cast::<u8>().add(i).write((i % 2) as u8);
///             }
///             Ok(())
///         })
///     }
/// }
///
/// stack_pin_init!(let bytes = alternating());
/// assert_eq!(bytes[62..], [0, 1]);
/// ```
#[inline]
pub const unsafe fn init_from_closure<T: ?Sized, E>(
    f: impl FnOnce(*mut T) -> Result<(), E>,
) -> impl Init<T, E> {
    Closure(f, PhantomData)
}

/// Converts an initialiser of a `T` to one of a `U`.
///
/// # Safety
///
/// `U` must have at least the size and the alignment of `T`, and a `T` at the address of a `U` must
/// be a valid `U`. Dropping the `U`, or reusing its memory, must drop the `T` first, and a pinned
/// `U` must keep it pinned.
///
/// # Examples
///
/// ```
/// use pin_init::{cast_pin_init, stack_pin_init, PinInit};
///
/// #[repr(transparent)]
/// struct Seconds(u32);
///
/// fn seconds(of: impl PinInit<u32>) -> impl PinInit<Seconds> {
///     // SAFETY: it is transparent, and drops and pins what is in it.
///     unsafe { cast_pin_init(of) }
/// }
///
/// stack_pin_init!(let minute = seconds(60));
/// assert_eq!(minute.0, 60);
/// ```
#[inline]
pub const unsafe fn cast_pin_init<T, U, E>(init: impl PinInit<T, E>) -> impl PinInit<U, E> {
    // SAFETY: by this function's contract the slot of a `U` is one of a `T`, and a valid `T` there
    // is a valid `U`. So the closure meets the requirements because `init` does.
    unsafe { pin_init_from_closure(|slot: *mut U| init.__pinned_init(slot.cast())) }
}

/// Converts an initialiser of a `T` to one of a `U`, both of which may move.
///
/// # Safety
///
/// `U` must have at least the size and the alignment of `T`, and a `T` at the address of a `U` must
/// be a valid `U`.
///
/// # Examples
///
/// ```
/// use pin_init::{cast_init, init_zeroed, stack_pin_init, Init};
///
/// #[repr(transparent)]
/// struct Key([u8; 32]);
///
/// fn no_key() -> impl Init<Key> {
///     // SAFETY: it is transparent, and all bytes are valid keys.
///     unsafe { cast_init(init_zeroed::<[u8; 32]>()) }
/// }
///
/// stack_pin_init!(let key = no_key());
/// assert_eq!(key.0, [0; 32]);
/// ```
#[inline]
pub const unsafe fn cast_init<T, U, E>(init: impl Init<T, E>) -> impl Init<U, E> {
    // SAFETY: by this function's contract the slot of a `U` is one of a `T`, and a valid `T` there
    // is a valid `U`. So the closure meets the requirements because `init` does.
    unsafe { init_from_closure(|slot: *mut U| init.__init(slot.cast())) }
}

/// Creates an initialiser that leaves the memory as it is.
///
/// # Examples
///
/// ```
/// use core::mem::MaybeUninit;
/// use pin_init::{init, stack_pin_init, uninit};
///
/// struct Buffer {
///     bytes: MaybeUninit<[u8; 1024]>,
///     filled: usize,
/// }
///
/// stack_pin_init!(let buffer = init!(Buffer {
///     bytes <- uninit::<_, core::convert::Infallible>(),
///     filled: 0,
/// }));
/// assert_eq!(buffer.filled, 0);
/// # let _ = &buffer.bytes;
/// ```
#[inline]
pub fn uninit<T, E>() -> impl Init<MaybeUninit<T>, E> {
    // SAFETY: memory in any state is a valid `MaybeUninit`.
    unsafe { init_from_closure(|_| Ok(())) }
}

/// Creates an initialiser that first runs a function, which returns the actual initialiser.
///
/// So whatever the initialiser needs can be prepared where it runs, and `?` works there.
///
/// # Errors
///
/// The error of the function, or of the initialiser that it returned.
///
/// # Examples
///
/// ```
/// use pin_init::{pin_data, pin_init, pin_init_scope, stack_try_pin_init, PinInit};
///
/// #[pin_data]
/// struct Port {
///     number: u16,
/// }
///
/// fn port(text: &str) -> impl PinInit<Port, core::num::ParseIntError> + '_ {
///     pin_init_scope(move || {
///         let number = text.parse()?;
///         Ok(pin_init!(Port { number }? core::num::ParseIntError))
///     })
/// }
///
/// stack_try_pin_init!(let good = port("80"));
/// assert_eq!(good.unwrap().number, 80);
/// stack_try_pin_init!(let bad = port("eighty"));
/// assert!(bad.is_err());
/// ```
#[inline]
pub fn pin_init_scope<T, E, F, I>(make_init: F) -> impl PinInit<T, E>
where
    F: FnOnce() -> Result<I, E>,
    I: PinInit<T, E>,
{
    // SAFETY: only `init` accesses the slot, once, so the closure meets the requirements because
    // `init` does. The requirements of its `__pinned_init` are also met for the closure.
    unsafe {
        pin_init_from_closure(move |slot: *mut T| {
            let init = make_init()?;
            init.__pinned_init(slot)
        })
    }
}

/// Creates an initialiser that first runs a function, for a value that may move.
///
/// # Errors
///
/// The error of the function, or of the initialiser that it returned.
///
/// # Examples
///
/// ```
/// use pin_init::{init, init_scope, stack_try_pin_init, Init};
///
/// struct Half(u32);
///
/// fn half(of: u32) -> impl Init<Half, &'static str> {
///     init_scope(move || {
///         if of % 2 == 1 {
///             return Err("odd");
///         }
///         Ok(Ok(Half(of / 2)))
///     })
/// }
///
/// stack_try_pin_init!(let two = half(4));
/// assert_eq!(two.unwrap().0, 2);
/// stack_try_pin_init!(let none = half(5));
/// assert_eq!(none.err(), Some("odd"));
/// ```
#[inline]
pub fn init_scope<T, E, F, I>(make_init: F) -> impl Init<T, E>
where
    F: FnOnce() -> Result<I, E>,
    I: Init<T, E>,
{
    // SAFETY: only `init` accesses the slot, once, so the closure meets the requirements because
    // `init` does. The requirements of its `__init` are also met for the closure.
    unsafe {
        init_from_closure(move |slot: *mut T| {
            let init = make_init()?;
            init.__init(slot)
        })
    }
}

// SAFETY: this writes a valid value, and cannot fail. The value was not pinned so far, so it may be
// pinned here.
unsafe impl<T> PinInit<T> for T {
    #[inline]
    unsafe fn __pinned_init(self, slot: *mut T) -> Result<(), Infallible> {
        // SAFETY: by the contract of `__pinned_init` the slot is valid for writes and aligned.
        unsafe { slot.write(self) };
        Ok(())
    }
}

// SAFETY: this writes a valid value, and cannot fail.
unsafe impl<T> Init<T> for T {
    #[inline]
    unsafe fn __init(self, slot: *mut T) -> Result<(), Infallible> {
        // SAFETY: by the contract of `__init` the slot is valid for writes and aligned.
        unsafe { slot.write(self) };
        Ok(())
    }
}

// SAFETY: `Ok` means that a valid value was written, and `Err` that nothing was. The value was not
// pinned so far, so it may be pinned here.
unsafe impl<T, E> PinInit<T, E> for Result<T, E> {
    #[inline]
    unsafe fn __pinned_init(self, slot: *mut T) -> Result<(), E> {
        // SAFETY: by the contract of `__pinned_init` the slot is valid for writes and aligned.
        unsafe { slot.write(self?) };
        Ok(())
    }
}

// SAFETY: `Ok` means that a valid value was written, and `Err` that nothing was.
unsafe impl<T, E> Init<T, E> for Result<T, E> {
    #[inline]
    unsafe fn __init(self, slot: *mut T) -> Result<(), E> {
        // SAFETY: by the contract of `__init` the slot is valid for writes and aligned.
        unsafe { slot.write(self?) };
        Ok(())
    }
}
