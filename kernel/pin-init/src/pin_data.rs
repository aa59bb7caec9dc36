// SPDX-License-Identifier: MIT OR Apache-2.0

//! The properties of a struct that `#[pin_data]` defines.

/// The marker of a field that is structurally pinned.
pub struct Pinned;

/// The marker of a field that is not structurally pinned.
pub struct Unpinned;

/// A struct with `#[pin_data]`.
///
/// # Safety
///
/// Only `#[pin_data]` may implement this, because it also ensures that `Drop` and `Unpin` are
/// sound. For each field, `Markers` must have a method of that name that returns [`Pinned`] if the
/// field is structurally pinned, and [`Unpinned`] otherwise.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `#[pin_data]`",
    label = "`pin_init!` needs a struct with `#[pin_data]`"
)]
pub unsafe trait HasPinData {
    /// The type with the methods.
    type Markers;

    /// A value of that type.
    const MARKERS: Self::Markers;
}

/// A token that only the `Drop` which `#[pin_data]` implements can create.
pub struct OnlyCallFromDrop(pub(crate) ());
