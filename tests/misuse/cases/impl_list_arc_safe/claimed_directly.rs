// SPDX-License-Identifier: MIT OR Apache-2.0

//! The right to a `ListArc` is taken and given back by `ListArc` only.
#![no_std]
#![forbid(unsafe_code)]

use kernel::list::{AtomicTracker, ListArcSafe};

pub fn free(tracker: &AtomicTracker) {
    #[cfg(misuse)]
    ListArcSafe::<0>::on_drop_list_arc(tracker); //~ E0133
    let _ = tracker;
}
pub fn is_safe<T: ListArcSafe<0>>() {}
kernel::impl_list_arc_safe! { impl ListArcSafe<0> for Item { untracked; } }
pub struct Item;
