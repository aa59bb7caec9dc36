// SPDX-License-Identifier: GPL-2.0-only

//! Synchronisation: reference counts, locks, waiting, and atomics.
//!
//! C headers: `include/linux/mutex.h`, `include/linux/spinlock.h`, `include/linux/completion.h`,
//! `include/linux/refcount.h`
//!
//! Reference: <https://docs.kernel.org/locking/mutex-design.html>

mod arc;
mod arc_traits;
pub mod aref;
pub mod atomic;
pub(crate) mod condvar;
pub mod lock;
mod lock_class;
mod locked_by;
pub mod poll;
pub mod rcu;
mod refcount;
mod set_once;

#[doc(inline)]
pub use crate::{global_lock, new_condvar, new_mutex, new_spinlock, static_lock_class};
pub use arc::{Arc, ArcBorrow, UniqueArc};
pub use condvar::{Completion, CondVar, CondVarTimeoutResult};
pub use lock::global::{GlobalGuard, GlobalLock, GlobalLockBackend, GlobalLockedBy};
pub use lock::mutex::{Mutex, MutexGuard};
pub use lock::spinlock::{SpinLock, SpinLockGuard};
pub use lock_class::LockClassKey;
pub use locked_by::LockedBy;
pub use refcount::Refcount;
pub use set_once::SetOnce;
