// SPDX-License-Identifier: MIT OR Apache-2.0

//! Initialisers: building values in their final place.
//!
//! A mutex or a list head contains pointers to itself, so it must not move once it is initialised.
//! A struct of many kilobytes must not be built on a small stack. So a function returns an
//! *initialiser*, an [`impl PinInit<T, E>`](PinInit), and whoever has the memory runs it there: an
//! allocation of the kernel, a field of another struct, or the stack ([`stack_pin_init!`]).
//!
//! Names, syntax and meaning are those of upstream's `pin-init` in Linux 7.2. This crate only
//! refuses more; see [`Wrapper`] and [`ZeroableOption`].
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

// Lets this crate use its own macros, whose output names `::pin_init`.
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
/// Fields with `#[pin]` are structurally pinned: they are pinned when the struct is. A [`PinInit`]
/// initialises them, and an [`Init`] initialises the others.
///
/// The struct gets a method `project`, which converts a `Pin<&mut Struct>` to a `StructProjection`
/// with one field for each field of the struct: `Pin<&mut Field>` for one with `#[pin]`, and `&mut
/// Field` for another. The struct is [`Unpin`] if all pinned fields are.
///
/// `#[pin_data(PinnedDrop)]` declares that the struct implements [`PinnedDrop`] by
/// [`#[pinned_drop]`](macro@pinned_drop). Implementations of `Drop` and `Unpin`, and
/// `#[repr(packed)]`, are refused, because each of them could move what is pinned.
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
/// This is `Drop` for pinned values: `drop` takes `Pin<&mut Self>`. Only the compiler's drop calls
/// it.
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

/// Derives [`trait@Zeroable`] for a struct or union all of whose fields implement it.
///
/// Type parameters get the bound `Zeroable`. A field that does not implement it is an error.
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

/// Derives [`trait@Zeroable`] if all fields implement it, and nothing otherwise.
///
/// It is for macros and generators that do not know the types of the fields.
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
