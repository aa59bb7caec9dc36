// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is not tracked has no second `ListArc`.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    impl_list_arc_safe,
    list::{AtomicTracker, ListArc},
    sync::Arc,
};

pub struct Item {
    pub tracker: AtomicTracker,
}
#[cfg(misuse)]
impl_list_arc_safe! { impl ListArcSafe<0> for Item { untracked; } }
#[cfg(not(misuse))]
impl_list_arc_safe! { impl ListArcSafe<0> for Item { tracked_by tracker: AtomicTracker; } }

pub fn listed(item: Arc<Item>) -> Option<ListArc<Item>> {
    ListArc::try_from_arc(item).ok() //~ E0277
}
