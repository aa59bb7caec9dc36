// SPDX-License-Identifier: MIT OR Apache-2.0

//! `Drop` for pinned values.

use core::pin::Pin;

use crate::pin_data::{HasPinData, OnlyCallFromDrop};

/// `Drop` for pinned values.
///
/// It is implemented by [`#[pinned_drop]`](macro@crate::pinned_drop) only, which shows
/// an example.
///
/// # Safety
///
/// Only `#[pinned_drop]` implements it: it keeps the token from the method's body.
pub unsafe trait PinnedDrop: HasPinData {
    /// Runs before the fields are dropped.
    ///
    /// Only the `Drop` that `#[pin_data]` implements can make the second argument.
    fn drop(self: Pin<&mut Self>, only_call_from_drop: OnlyCallFromDrop);
}
