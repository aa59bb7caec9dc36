// SPDX-License-Identifier: MIT OR Apache-2.0

//! The declarative macros.
//!
//! They pass `$crate` to the procedural ones, so that no crate that the user calls `pin_init` can
//! take the place of this one.

/// Expands `#[pin_data]`, from `(arguments) struct`.
#[doc(hidden)]
#[macro_export]
macro_rules! __pin_data {
    (($($arguments:tt)*) $($item:tt)*) => {
        #[derive($crate::__internal::PinData)]
        #[__pin_data($crate $($arguments)*)]
        $($item)*
    };
}

/// Expands `#[pinned_drop]`, from `(arguments) implementation`.
#[doc(hidden)]
#[macro_export]
macro_rules! __pinned_drop {
    ($($input:tt)*) => { $crate::__internal::__pinned_drop! { ($crate) $($input)* } };
}

/// Creates an initialiser of a struct that is pinned from then on.
///
/// The result is an [`impl PinInit<Struct, Error>`](trait@crate::PinInit). The struct needs
/// [`#[pin_data]`](macro@crate::pin_data). The macro looks like a struct expression, whose entries
/// run in order:
///
/// - `field: value`, or `field` for a variable of that name.
/// - `field <- initialiser` runs the initialiser in the place of the field. A field with `#[pin]`
///   takes a [`PinInit`](trait@crate::PinInit), any other an [`Init`](trait@crate::Init).
/// - `_: { .. }` runs a block.
/// - `..Zeroable::init_zeroed()` as the last entry leaves all other fields zero. The struct must be
///   [`Zeroable`](trait@crate::Zeroable).
///
/// After its entry, the name of a field is a `&mut Field`, or a `Pin<&mut Field>` if the field has
/// `#[pin]`. With `&this in` before the name of the struct, `this` is a `NonNull<Struct>`. Entries
/// can have `#[cfg(..)]`.
///
/// The error type is the one after a `?` at the end, or the one in `#[default_error(Type)]` at the
/// beginning, or [`Infallible`](core::convert::Infallible). Entries may use `?` and `return
/// Err(..)`. Then the fields that were initialised are dropped, the last one first.
///
/// # Examples
///
/// ```
/// use core::{marker::PhantomPinned, pin::Pin};
/// use pin_init::{pin_data, pin_init, stack_try_pin_init, PinInit};
///
/// #[pin_data]
/// struct Parser {
///     base: u32,
///     first: u32,
///     double: u32,
///     #[pin]
///     pin: PhantomPinned,
/// }
///
/// fn parser(text: &str) -> impl PinInit<Parser, core::num::ParseIntError> + '_ {
///     pin_init!(Parser {
///         base: 10,
///         first: u32::from_str_radix(text, *base)?,
///         _: { *first += 1 },
///         double: *first * 2,
///         pin: PhantomPinned,
///     }? core::num::ParseIntError)
/// }
///
/// stack_try_pin_init!(let parser = parser("20"));
/// assert_eq!(parser.unwrap().double, 42);
/// ```
#[macro_export]
macro_rules! pin_init {
    ($($input:tt)*) => { $crate::__internal::__init!(($crate) (pinned) $($input)*) };
}

/// Creates an initialiser of a struct that may move.
///
/// The result is an [`impl Init<Struct, Error>`](trait@crate::Init). The syntax is that of
/// [`pin_init!`](crate::pin_init!). The struct needs no `#[pin_data]`; an
/// [`Init`](trait@crate::Init) initialises each field, whose name is a `&mut Field` afterwards.
///
/// # Examples
///
/// ```
/// use pin_init::{init, stack_pin_init, Zeroable};
///
/// #[derive(Zeroable)]
/// struct Request {
///     kind: u8,
///     sectors: [u64; 128],
///     count: usize,
/// }
///
/// stack_pin_init!(let request = init!(Request {
///     kind: 3,
///     ..Zeroable::init_zeroed()
/// }));
/// assert_eq!((request.kind, request.count, request.sectors[127]), (3, 0, 0));
/// ```
#[macro_export]
macro_rules! init {
    ($($input:tt)*) => { $crate::__internal::__init!(($crate) (moved) $($input)*) };
}

/// Declares a variable whose value is pinned on the stack.
///
/// The variable is a `Pin<&mut T>`. The initialiser cannot fail: its error is
/// [`Infallible`](core::convert::Infallible).
///
/// # Examples
///
/// ```
/// use pin_init::{init, stack_pin_init};
///
/// struct Point {
///     x: i32,
///     y: i32,
/// }
///
/// stack_pin_init!(let point: Point = init!(Point { x: 1, y: 2 }));
/// point.x += 1;
/// assert_eq!(point.x, point.y);
/// ```
#[macro_export]
macro_rules! stack_pin_init {
    (let $var:ident $(: $t:ty)? = $val:expr) => {
        let val = $val;
        let mut $var = $crate::__internal::pin!($crate::__internal::StackInit$(::<$t>)?::uninit());
        #[allow(unused_mut)]
        let mut $var = match $crate::__internal::StackInit::init($var.as_mut(), val) {
            $crate::__internal::Result::Ok(value) => value,
            $crate::__internal::Result::Err(error) => {
                let error: $crate::__internal::Infallible = error;
                match error {}
            }
        };
    };
}

/// Declares a variable whose value is pinned on the stack, with an initialiser that can fail.
///
/// The variable is a `Result<Pin<&mut T>, E>`. With `=?` instead of `=` it is a `Pin<&mut T>`, and
/// an error is returned as by `?`.
///
/// # Examples
///
/// ```
/// use pin_init::{init, stack_try_pin_init, Init};
///
/// fn even(number: u32) -> impl Init<u32, &'static str> {
///     if number % 2 == 0 { Ok(number) } else { Err("odd") }
/// }
///
/// stack_try_pin_init!(let three: u32 = even(3));
/// assert_eq!(three.err(), Some("odd"));
///
/// fn sum() -> Result<u32, &'static str> {
///     stack_try_pin_init!(let two =? even(2));
///     stack_try_pin_init!(let four =? even(4));
///     Ok(*two + *four)
/// }
/// assert_eq!(sum(), Ok(6));
/// ```
#[macro_export]
macro_rules! stack_try_pin_init {
    (let $var:ident $(: $t:ty)? = $val:expr) => {
        let val = $val;
        let mut $var = $crate::__internal::pin!($crate::__internal::StackInit$(::<$t>)?::uninit());
        #[allow(unused_mut)]
        let mut $var = $crate::__internal::StackInit::init($var.as_mut(), val);
    };
    (let $var:ident $(: $t:ty)? =? $val:expr) => {
        let val = $val;
        let mut $var = $crate::__internal::pin!($crate::__internal::StackInit$(::<$t>)?::uninit());
        #[allow(unused_mut)]
        let mut $var = $crate::__internal::StackInit::init($var.as_mut(), val)?;
    };
}

/// Fails to compile if a field has no `#[pin]`, or has another type.
///
/// Unsafe code that relies on the field asserts it by this macro. If the type has generic
/// parameters of the enclosing function, `inline` comes last.
///
/// # Examples
///
/// ```
/// use core::marker::PhantomPinned;
/// use pin_init::{assert_pinned, pin_data};
///
/// #[pin_data]
/// struct Node<T> {
///     value: T,
///     #[pin]
///     links: PhantomPinned,
/// }
///
/// assert_pinned!(Node<u32>, links, PhantomPinned);
///
/// fn push<T>(_node: &Node<T>) {
///     assert_pinned!(Node<T>, links, PhantomPinned, inline);
/// }
/// # push(&Node { value: 0, links: PhantomPinned });
/// # let _ = Node { value: 0, links: PhantomPinned }.value;
/// ```
#[macro_export]
macro_rules! assert_pinned {
    ($ty:ty, $field:ident, $field_ty:ty, inline) => {
        let _ = |value: &$ty, markers: <$ty as $crate::__internal::HasPinData>::Markers| {
            let _: $crate::__internal::Pinned = markers.$field();
            let found = $crate::__internal::type_of(&raw const value.$field);
            let _: $crate::__internal::Is<$field_ty> = found;
        };
    };
    ($ty:ty, $field:ident, $field_ty:ty) => {
        const _: () = {
            $crate::assert_pinned!($ty, $field, $field_ty, inline);
        };
    };
}
