// SPDX-License-Identifier: MIT OR Apache-2.0

//! The trait `PinnedDrop`.

use core::pin::Pin;

use crate::pin_data::{HasPinData, OnlyCallFromDrop};

/// A destructor of pinned values.
///
/// Only [`#[pinned_drop]`](macro@crate::pinned_drop) implements it, whose documentation has an
/// example.
///
/// # Safety
///
/// Only `#[pinned_drop]` may implement this, because it keeps the token from the method's body.
pub unsafe trait PinnedDrop: HasPinData {
    /// Runs before the fields are dropped.
    ///
    /// Only the `Drop` that `#[pin_data]` implements can create the second argument.
    fn drop(self: Pin<&mut Self>, only_call_from_drop: OnlyCallFromDrop);
}
