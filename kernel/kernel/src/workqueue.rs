// SPDX-License-Identifier: GPL-2.0-only

//! Work queues: functions that run later, in a thread of the kernel.
//!
//! An object that has a [`Work`] can be queued: a thread of the kernel then calls its
//! [`WorkItem::run`], in process context. While it is queued, the queue owns the pointer to it. An
//! object may have several works, which numbers distinguish. [`Queue::try_spawn`] queues a closure.
//!
//! # Unloading
//!
//! The module's code stays until all work that it has queued has run, so an unload waits for that,
//! and so does a load that fails. From the moment when the module's value has been dropped, nothing
//! more is queued: the object is given back or dropped. So work that queues itself again ends, and an
//! unload waits for it at most as long as its delay.
//!
//! C header: `include/linux/workqueue.h`
//!
//! Reference: <https://docs.kernel.org/core-api/workqueue.html>
//!
//! # Examples
//!
//! ```
//! # const __LOG_PREFIX: &[u8] = b"example\0";
//! use kernel::{
//!     prelude::*,
//!     sync::Arc,
//!     workqueue::{self, impl_has_work, new_work, Work, WorkItem},
//! };
//! # extern crate kernel as pin_init;
//!
//! #[pin_data]
//! struct Report {
//!     number: u32,
//!     #[pin]
//!     work: Work<Report>,
//! }
//!
//! impl_has_work! {
//!     impl HasWork<Self> for Report { self.work }
//! }
//!
//! impl WorkItem for Report {
//!     type Pointer = Arc<Report>;
//!
//!     fn run(this: Arc<Report>) {
//!         pr_info!("number {}\n", this.number);
//!     }
//! }
//!
//! fn report_later(number: u32) -> Result {
//!     let report = pin_init!(Report { number, work <- new_work!("Report::work") });
//!     let report = Arc::pin_init(report, GFP_KERNEL)?;
//!     // It is not queued yet, so this succeeds unless the module is being unloaded.
//!     let _ = workqueue::system().enqueue(report);
//!     Ok(())
//! }
//! # fn main() {}
//! ```

mod delayed;
mod pointers;
mod queue;
mod spawn;
mod work;

pub use delayed::{DelayedWork, HasDelayedWork};
pub use queue::{
    system, system_freezable, system_freezable_power_efficient, system_highpri, system_long,
    system_power_efficient, system_unbound, Queue,
};
pub use work::{HasWork, RawDelayedWorkItem, RawWorkItem, Work, WorkItem, WorkItemPointer};

#[doc(inline)]
pub use crate::{impl_has_delayed_work, impl_has_work, new_delayed_work, new_work};
