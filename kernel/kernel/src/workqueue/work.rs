// SPDX-License-Identifier: GPL-2.0-only

//! Work items: objects that can be queued.

use crate::bindings;
use crate::layout;
use crate::sync::LockClassKey;
use crate::types::Opaque;
use core::ffi::CStr;
use core::marker::PhantomData;
use core::pin::Pin;
use pin_init::{pin_data, pin_init, PinInit};

/// A pointer to an object that knows how to queue its work.
///
/// [`Arc`](crate::sync::Arc) and `Pin<KBox<T>>` implement it.
///
/// # Safety
///
/// The pointer that [`Self::__enqueue`] passes on must be that of an initialised work. If the
/// closure returns true, the work must stay valid until its function is called.
///
/// # Examples
///
/// ```
/// use kernel::workqueue::{self, RawWorkItem};
/// fn later<W: RawWorkItem<0> + Send + 'static>(item: W) {
///     let _ = workqueue::system().enqueue(item);
/// }
/// ```
pub unsafe trait RawWorkItem<const ID: u64> {
    /// What [`Queue::enqueue`](super::Queue::enqueue) returns.
    type EnqueueOutput;

    /// Calls `queue_work_on` with the work, and gives up the pointer if that returns true.
    ///
    /// # Safety
    ///
    /// `queue_work_on` must return whether it has queued the work. If the item is not [`Send`], the
    /// work must run in this thread; if it borrows something, it must run before the borrow ends.
    unsafe fn __enqueue<F>(self, queue_work_on: F) -> Self::EnqueueOutput
    where
        F: FnOnce(*mut bindings::work_struct) -> bool;
}

/// A pointer to an object that can be queued with a delay.
///
/// # Safety
///
/// The work that is passed on must be the first field of an initialised `struct delayed_work`,
/// which stays valid until the work's function is called.
///
/// # Examples
///
/// ```
/// use kernel::{time::HZ, workqueue::{self, RawDelayedWorkItem}};
/// fn in_a_second<W: RawDelayedWorkItem<0> + Send + 'static>(item: W) {
///     let _ = workqueue::system().enqueue_delayed(item, HZ);
/// }
/// ```
pub unsafe trait RawDelayedWorkItem<const ID: u64>: RawWorkItem<ID> {}

/// A pointer to an object that has a [`Work`].
///
/// # Safety
///
/// The works that [`RawWorkItem::__enqueue`] passes on must have [`Self::run`] as their function.
///
/// # Examples
///
/// ```
/// use kernel::workqueue::{WorkItem, WorkItemPointer};
/// fn is_pointer<T: WorkItem>() where T::Pointer: WorkItemPointer<0> {}
/// ```
pub unsafe trait WorkItemPointer<const ID: u64>: RawWorkItem<ID> {
    /// Runs the work.
    ///
    /// # Safety
    ///
    /// `ptr` must be a work that [`RawWorkItem::__enqueue`] passed on, and whose closure returned
    /// true. There must be one call for each.
    unsafe extern "C" fn run(ptr: *mut bindings::work_struct);
}

/// An object whose [`Work`] can be queued.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, workqueue::{impl_has_work, Work, WorkItem}};
/// # extern crate kernel as pin_init;
///
/// #[pin_data]
/// struct Job {
///     #[pin]
///     work: Work<Job>,
/// }
///
/// impl_has_work! {
///     impl HasWork<Self> for Job { self.work }
/// }
///
/// impl WorkItem for Job {
///     type Pointer = Pin<KBox<Job>>;
///
///     fn run(job: Pin<KBox<Job>>) {
///         drop(job);
///     }
/// }
/// ```
pub trait WorkItem<const ID: u64 = 0> {
    /// The pointer that is queued: an `Arc<Self>` or a `Pin<KBox<Self>>`.
    type Pointer: WorkItemPointer<ID>;

    /// Does the work.
    ///
    /// Context: a thread of the kernel, which has no user memory; it may sleep.
    fn run(this: Self::Pointer);
}

/// The field of an object by which it can be queued: C's `struct work_struct`.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, workqueue::{new_work, Work, WorkItem}};
/// fn work<T: WorkItem>() -> impl PinInit<Work<T>> {
///     new_work!("example")
/// }
/// ```
#[doc(alias = "work_struct")]
#[pin_data]
#[repr(transparent)]
pub struct Work<T: ?Sized, const ID: u64 = 0> {
    #[pin]
    work: Opaque<layout::Work>,
    _item: PhantomData<fn(&T)>,
}

// SAFETY: only the kernel's functions use the content; any thread may queue and run it.
unsafe impl<T: ?Sized, const ID: u64> Send for Work<T, ID> {}
// SAFETY: a shared reference to the value gives access to nothing; the kernel's functions use
// atomics and locks for the content.
unsafe impl<T: ?Sized, const ID: u64> Sync for Work<T, ID> {}

impl<T: ?Sized, const ID: u64> Work<T, ID> {
    /// Returns an initialiser of a work that is not queued.
    #[doc(alias = "INIT_WORK")]
    pub fn new(name: &'static CStr, key: Pin<&'static LockClassKey>) -> impl PinInit<Self>
    where
        T: WorkItem<ID>,
    {
        pin_init!(Self {
            // SAFETY: the function takes memory for a `struct work_struct` that is valid for writes
            // and does not move: the slot has its size and alignment, and the value is pinned. Name
            // and key are static. The kernel calls `run` for works that were queued, which only
            // `__enqueue` does.
            work <- Opaque::ffi_init(|slot| unsafe {
                bindings::koru_work_init(
                    layout::Work::object(slot),
                    Some(T::Pointer::run),
                    name.as_ptr().cast(),
                    key.as_ptr(),
                );
            }),
            _item: PhantomData,
        })
    }

    /// Returns the `struct work_struct *`.
    ///
    /// # Safety
    ///
    /// `ptr` must be aligned and not dangling. The memory need not be initialised.
    #[inline]
    pub unsafe fn raw_get(ptr: *const Self) -> *mut bindings::work_struct {
        layout::Work::object(ptr.cast_mut().cast())
    }
}

/// An object that has a [`Work`], as [`impl_has_work!`](crate::impl_has_work) declares.
///
/// # Safety
///
/// `raw_get_work` must return a pointer to a field of the object with the provenance of the given
/// pointer, and `work_container_of` must reverse that.
///
/// # Examples
///
/// ```
/// use kernel::workqueue::HasWork;
/// fn has_work<T: HasWork<T>>() {}
/// ```
pub unsafe trait HasWork<T, const ID: u64 = 0> {
    /// Returns the work of an object.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a valid object.
    unsafe fn raw_get_work(ptr: *mut Self) -> *mut Work<T, ID>;

    /// Returns the object that contains a work.
    ///
    /// # Safety
    ///
    /// `ptr` must come from [`Self::raw_get_work`].
    unsafe fn work_container_of(ptr: *mut Work<T, ID>) -> *mut Self;
}

/// Creates an initialiser of a [`Work`] with a lock class of its own.
///
/// The name is optional, and defaults to the place in the source.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, workqueue::{new_work, Work, WorkItem}};
/// fn work<T: WorkItem>() -> impl PinInit<Work<T>> {
///     new_work!("example")
/// }
/// ```
#[macro_export]
macro_rules! new_work {
    ($($name:literal)? $(,)?) => {
        $crate::workqueue::Work::new(
            $crate::optional_name!($($name)?), $crate::static_lock_class!())
    };
}

/// Names the field that contains an object's [`Work`].
///
/// # Examples
///
/// ```
/// use kernel::workqueue::{impl_has_work, Work};
/// struct Job<T> {
///     first: Work<Job<T>, 1>,
///     second: Work<Job<T>, 2>,
///     data: T,
/// }
/// impl_has_work! {
///     impl{T} HasWork<Self, 1> for Job<T> { self.first }
///     impl{T} HasWork<Self, 2> for Job<T> { self.second }
/// }
/// ```
#[macro_export]
macro_rules! impl_has_work {
    ($(
        impl$({$($generics:tt)*})? HasWork<$work_type:ty $(, $id:tt)?> for $t:ty {
            self.$field:ident
        }
    )*) => {$(
        // SAFETY: both functions name the same field. It is a field of the object itself, at a
        // fixed offset: `offset_of!` does not go through a `Deref`. It has the type in the
        // signature, because raw pointers are not coerced. It is aligned, because the compiler
        // refuses a reference to a field that is not.
        unsafe impl$(<$($generics)*>)? $crate::workqueue::HasWork<$work_type $(, $id)?> for $t {
            #[inline]
            unsafe fn raw_get_work(
                ptr: *mut Self,
            ) -> *mut $crate::workqueue::Work<$work_type $(, $id)?> {
                fn aligned$(<$($generics)*>)?(me: &$t) {
                    let _ = &me.$field;
                }
                let _: fn(&Self) = aligned;
                // SAFETY: by the trait's contract the pointer is that of a valid object, which
                // contains the field. The value is not read.
                unsafe { &raw mut (*ptr).$field }
            }

            #[inline]
            unsafe fn work_container_of(
                ptr: *mut $crate::workqueue::Work<$work_type $(, $id)?>,
            ) -> *mut Self {
                let offset = $crate::__core::mem::offset_of!(Self, $field);
                // SAFETY: by the trait's contract the pointer comes from `raw_get_work`, which
                // added this offset within an object, and may be used for the whole object.
                unsafe { ptr.byte_sub(offset) }.cast()
            }
        }
    )*};
}
