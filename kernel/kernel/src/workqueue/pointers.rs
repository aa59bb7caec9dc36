// SPDX-License-Identifier: GPL-2.0-only

//! The pointers that can be queued.

use super::delayed::HasDelayedWork;
use super::work::{HasWork, RawDelayedWorkItem, RawWorkItem, Work, WorkItem, WorkItemPointer};
use crate::alloc::KBox;
use crate::bindings;
use crate::pending::Pending;
use crate::sync::Arc;
use core::pin::Pin;

// SAFETY: the work is in the object, which `into_raw` keeps until `run` takes it back. It is
// initialised, because the only constructor of a `Work` is an initialiser.
unsafe impl<T, const ID: u64> RawWorkItem<ID> for Arc<T>
where
    T: WorkItem<ID, Pointer = Self> + HasWork<T, ID>,
{
    type EnqueueOutput = Result<(), Self>;

    unsafe fn __enqueue<F>(self, queue_work_on: F) -> Self::EnqueueOutput
    where
        F: FnOnce(*mut bindings::work_struct) -> bool,
    {
        let item = Arc::into_raw(self).cast_mut();
        // SAFETY: the pointer of an `Arc` is that of a valid object.
        let work = unsafe { Work::raw_get(T::raw_get_work(item)) };
        if queue_work_on(work) {
            return Ok(());
        }
        // SAFETY: the pointer comes from `into_raw`. The work was not queued now, so nobody else
        // takes this reference back: an earlier call that queued it gave its own one.
        Err(unsafe { Arc::from_raw(item) })
    }
}

// SAFETY: the constructors of `Work` and `DelayedWork` set the `run` of the item's `Pointer`, which
// is this type.
unsafe impl<T, const ID: u64> WorkItemPointer<ID> for Arc<T>
where
    T: WorkItem<ID, Pointer = Self> + HasWork<T, ID>,
{
    unsafe extern "C" fn run(ptr: *mut bindings::work_struct) {
        // SAFETY: by the contract this is the call for a work that was queued, for which a value
        // was forgotten.
        let pending = unsafe { Pending::resumed() };
        // SAFETY: by the contract the work is one that `__enqueue` passed on, which is in an object
        // from `into_raw`, and this is the one call that takes it back.
        let item = unsafe { Arc::from_raw(T::work_container_of(ptr.cast())) };
        T::run(item);
        drop(pending);
    }
}

// SAFETY: the work that is passed on is that of a `DelayedWork`, by `HasDelayedWork`, which begins
// with it. It is in the object, which `into_raw` keeps until `run` takes it back.
unsafe impl<T, const ID: u64> RawDelayedWorkItem<ID> for Arc<T> where
    T: WorkItem<ID, Pointer = Self> + HasDelayedWork<T, ID>
{
}

// SAFETY: the work is in the object, which `into_raw` keeps until `run` takes it back. It is
// initialised, because the only constructor of a `Work` is an initialiser.
unsafe impl<T, const ID: u64> RawWorkItem<ID> for Pin<KBox<T>>
where
    T: WorkItem<ID, Pointer = Self> + HasWork<T, ID>,
{
    type EnqueueOutput = ();

    unsafe fn __enqueue<F>(self, queue_work_on: F) -> Self::EnqueueOutput
    where
        F: FnOnce(*mut bindings::work_struct) -> bool,
    {
        // SAFETY: the object is not moved: only its address is passed on, and it is pinned again.
        let item = KBox::into_raw(unsafe { Pin::into_inner_unchecked(self) });
        // SAFETY: the pointer of a box is that of a valid object.
        let work = unsafe { Work::raw_get(T::raw_get_work(item)) };
        if !queue_work_on(work) {
            // SAFETY: the pointer comes from `into_raw`. The work was not queued now, and was not
            // before, because whoever queues it gives up the box: so nobody else has it.
            drop(unsafe { Pin::new_unchecked(KBox::from_raw(item)) });
        }
    }
}

// SAFETY: the constructors of `Work` and `DelayedWork` set the `run` of the item's `Pointer`, which
// is this type.
unsafe impl<T, const ID: u64> WorkItemPointer<ID> for Pin<KBox<T>>
where
    T: WorkItem<ID, Pointer = Self> + HasWork<T, ID>,
{
    unsafe extern "C" fn run(ptr: *mut bindings::work_struct) {
        // SAFETY: by the contract this is the call for a work that was queued, for which a value
        // was forgotten.
        let pending = unsafe { Pending::resumed() };
        // SAFETY: by the contract the work is one that `__enqueue` passed on, which is in a pinned
        // object from `into_raw`, and this is the one call that takes it back.
        let item = unsafe { Pin::new_unchecked(KBox::from_raw(T::work_container_of(ptr.cast()))) };
        T::run(item);
        drop(pending);
    }
}

// SAFETY: the work that is passed on is that of a `DelayedWork`, by `HasDelayedWork`, which begins
// with it. It is in the object, which `into_raw` keeps until `run` takes it back.
unsafe impl<T, const ID: u64> RawDelayedWorkItem<ID> for Pin<KBox<T>> where
    T: WorkItem<ID, Pointer = Self> + HasDelayedWork<T, ID>
{
}
