// SPDX-License-Identifier: MIT OR Apache-2.0

//! What `#[pin_data]` says of a struct.

/// Says of a field that it is structurally pinned.
pub struct Pinned;

/// Says of a field that it is not structurally pinned.
pub struct Unpinned;

/// Structs with `#[pin_data]`.
///
/// # Safety
///
/// Only `#[pin_data]` implements it, which also takes care of `Drop` and `Unpin`. For
/// each field, `Markers` has a method of that name that returns [`Pinned`] if it is
/// structurally pinned, and else [`Unpinned`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `#[pin_data]`",
    label = "`pin_init!` needs a struct with `#[pin_data]`"
)]
pub unsafe trait HasPinData {
    /// The methods' type.
    type Markers;

    /// A value of it.
    const MARKERS: Self::Markers;
}

/// What only the `Drop` that `#[pin_data]` implements can make.
pub struct OnlyCallFromDrop(pub(crate) ());
