// SPDX-License-Identifier: GPL-2.0-only

//! Intrusive linked lists: the links are in the objects, so putting one on a list allocates
//! nothing.
//!
//! For each [`ListLinks`] that it has, an object can be on one list at a time. A [`ListArc`]
//! guarantees that: there is at most one for the object, and a list takes it with the object. There
//! may be ordinary [`Arc`](crate::sync::Arc)s of the object meanwhile.
//!
//! # Examples
//!
//! ```
//! use kernel::{impl_list_arc_safe, impl_list_item, list::{List, ListArc, ListLinks}, prelude::*};
//! # extern crate kernel as pin_init;
//!
//! #[pin_data]
//! struct Job {
//!     number: u32,
//!     #[pin]
//!     links: ListLinks,
//! }
//!
//! impl_list_arc_safe! {
//!     impl ListArcSafe<0> for Job { untracked; }
//! }
//! impl_list_item! {
//!     impl ListItem<0> for Job { using ListLinks { self.links }; }
//! }
//!
//! fn add(jobs: &mut List<Job>, number: u32) -> Result {
//!     let job = pin_init!(Job { number, links <- ListLinks::new() });
//!     jobs.push_back(ListArc::pin_init(job, GFP_KERNEL)?);
//!     Ok(())
//! }
//!
//! fn next(jobs: &mut List<Job>) -> Option<u32> {
//!     jobs.pop_front().map(|job| job.number)
//! }
//!
//! fn sum(jobs: &List<Job>) -> u32 {
//!     jobs.iter().map(|job| job.number).sum()
//! }
//! ```

mod arc;
mod cursor;
mod item;
mod iter;
mod ring;

pub use arc::{AtomicTracker, ListArc, ListArcSafe, TryNewListArc};
pub use cursor::{Cursor, CursorPeek};
pub use item::{ListItem, ListLinks};
pub use iter::{IntoIter, Iter};
pub use ring::List;

#[doc(inline)]
pub use crate::{impl_list_arc_safe, impl_list_item};
