// SPDX-License-Identifier: MIT OR Apache-2.0

//! Values that are built in their final place.
//!
//! A mutex or a list head holds pointers to itself, so it must not move once it is
//! initialised; and a struct of many kilobytes must not pass over a small stack. So
//! a function returns an *initialiser*, an [`impl PinInit<T, E>`](PinInit), and
//! whoever has the memory runs it there: an allocation of the kernel, a field of
//! another struct, or the stack ([`stack_pin_init!`]).
//!
//! Names, syntax and meaning are those of upstream's `pin-init` in Linux 7.2. The
//! differences all refuse something: see [`Wrapper`] and [`ZeroableOption`].
//!
//! # Examples
//!
//! ```
//! use core::pin::Pin;
//! use pin_init::{pin_data, pin_init, stack_pin_init, PinInit};
//!
//! #[pin_data]
//! struct Counter {
//!     hits: u64,
//!     #[pin]
//!     inner: Inner,
//! }
//!
//! #[pin_data]
//! struct Inner {
//!     limit: u64,
//!     #[pin]
//!     _pin: core::marker::PhantomPinned,
//! }
//!
//! impl Inner {
//!     fn new(limit: u64) -> impl PinInit<Self> {
//!         pin_init!(Self { limit, _pin: core::marker::PhantomPinned })
//!     }
//! }
//!
//! stack_pin_init!(let counter = pin_init!(Counter {
//!     hits: 0,
//!     inner <- Inner::new(10),
//! }));
//! let fields = counter.as_mut().project();
//! *fields.hits += 1;
//! let inner: Pin<&mut Inner> = fields.inner;
//! assert_eq!(inner.limit, 10);
//! assert_eq!(counter.hits, 1);
//! ```

#![no_std]
#![warn(missing_docs)]

// What the macros write says `::pin_init`.
extern crate self as pin_init;

#[doc(hidden)]
pub mod __internal;
mod array;
mod chain;
mod initializer;
mod macros;
mod pin_data;
mod pinned_drop;
mod wrapper;
mod write;
mod zeroable;

pub use array::{init_array_from_fn, pin_init_array_from_fn};
pub use initializer::{
    cast_init, cast_pin_init, init_from_closure, init_scope, pin_init_from_closure, pin_init_scope,
    uninit, ChainInit, ChainPinInit, Init, PinInit,
};
pub use pinned_drop::PinnedDrop;
pub use wrapper::Wrapper;
pub use write::InPlaceWrite;
pub use zeroable::{init_zeroed, zeroed, Zeroable, ZeroableOption};

/// Prepares a struct for [`pin_init!`].
///
/// Fields with `#[pin]` are structurally pinned: when the struct is pinned, so are
/// they. They are initialised by a [`PinInit`]; all others by an [`Init`].
///
/// The struct gets a method `project`, which turns a `Pin<&mut Struct>` into a
/// `StructProjection` with one field for each of the struct's: `Pin<&mut Field>`
/// if it has `#[pin]`, else `&mut Field`. It is [`Unpin`] if all pinned fields are.
///
/// `#[pin_data(PinnedDrop)]` says that it implements [`PinnedDrop`] by
/// [`#[pinned_drop]`](macro@pinned_drop). `Drop` and `Unpin` cannot be implemented,
/// and `#[repr(packed)]` is refused: each of them could move what is pinned.
///
/// # Examples
///
/// ```
/// use core::{marker::PhantomPinned, pin::Pin};
/// use pin_init::{pin_data, pin_init, stack_pin_init};
///
/// #[pin_data]
/// struct Job<T> {
///     name: &'static str,
///     #[pin]
///     work: T,
///     #[cfg(any())]
///     never: NoSuchType,
/// }
///
/// stack_pin_init!(let job = pin_init!(Job { name: "flush", work: PhantomPinned }));
/// let job = job.project();
/// *job.name = "sync";
/// let _work: Pin<&mut PhantomPinned> = job.work;
/// ```
pub use koru_pin_init_macros::pin_data;

/// Implements [`PinnedDrop`] for a struct with `#[pin_data(PinnedDrop)]`.
///
/// It is `Drop` for pinned values: `drop` gets `Pin<&mut Self>`. Nobody else can
/// call it.
///
/// # Examples
///
/// ```
/// use core::{cell::Cell, pin::Pin};
/// use pin_init::{pin_data, pin_init, pinned_drop, stack_pin_init};
///
/// #[pin_data(PinnedDrop)]
/// struct Guard<'a> {
///     open: &'a Cell<bool>,
/// }
///
/// #[pinned_drop]
/// impl PinnedDrop for Guard<'_> {
///     fn drop(self: Pin<&mut Self>) {
///         self.open.set(false);
///     }
/// }
///
/// let open = &Cell::new(true);
/// {
///     stack_pin_init!(let _guard = pin_init!(Guard { open }));
///     assert!(open.get());
/// }
/// assert!(!open.get());
/// ```
pub use koru_pin_init_macros::pinned_drop;

/// Derives [`trait@Zeroable`] for a struct or union all of whose fields have it.
///
/// Type parameters get the bound `Zeroable`. A field that has it not is an error.
///
/// # Examples
///
/// ```
/// use pin_init::{zeroed, Zeroable};
///
/// #[derive(Zeroable)]
/// struct Header {
///     magic: u32,
///     name: [u8; 16],
///     next: Option<&'static Header>,
/// }
///
/// let header: Header = zeroed();
/// assert_eq!(header.magic, 0);
/// assert!(header.next.is_none());
/// ```
pub use koru_pin_init_macros::Zeroable;

/// Derives [`trait@Zeroable`] if all fields have it, and else nothing.
///
/// For macros and generators that do not know the types of the fields.
///
/// # Examples
///
/// ```
/// use pin_init::{zeroed, MaybeZeroable};
///
/// #[derive(MaybeZeroable)]
/// struct Yes(u32, [u8; 4]);
///
/// #[derive(MaybeZeroable)]
/// struct No(&'static str);
///
/// assert_eq!(zeroed::<Yes>().0, 0);
/// let _ = No("has no zero");
/// ```
pub use koru_pin_init_macros::MaybeZeroable;
