// SPDX-License-Identifier: GPL-2.0-only

//! Synchronisation: reference counts, locks, waiting, and atomics.
//!
//! C headers: `include/linux/mutex.h`, `include/linux/spinlock.h`, `include/linux/completion.h`,
//! `include/linux/refcount.h`
//!
//! Reference: <https://docs.kernel.org/locking/mutex-design.html>

mod arc;
pub mod aref;
pub mod atomic;
pub(crate) mod condvar;
pub mod lock;
mod lock_class;
mod locked_by;
mod refcount;

#[doc(inline)]
pub use crate::global_lock;
pub use arc::{Arc, ArcBorrow, UniqueArc};
pub use condvar::{Completion, CondVar, CondVarTimeoutResult};
pub use lock::global::{GlobalGuard, GlobalLock, GlobalLockBackend};
pub use lock::mutex::{Mutex, MutexGuard};
pub use lock::spinlock::{SpinLock, SpinLockGuard};
pub use lock_class::LockClassKey;
pub use locked_by::LockedBy;
pub use refcount::Refcount;
