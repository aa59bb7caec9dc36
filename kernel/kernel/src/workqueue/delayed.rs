// SPDX-License-Identifier: GPL-2.0-only

//! Work that runs after a delay.

use super::work::{HasWork, Work, WorkItem, WorkItemPointer};
use crate::bindings;
use crate::layout;
use crate::sync::LockClassKey;
use crate::types::Opaque;
use core::ffi::CStr;
use core::marker::PhantomData;
use core::pin::Pin;
use pin_init::{pin_data, pin_init, PinInit};

/// The field of an object by which it can be queued with a delay: C's `struct delayed_work`.
///
/// # Examples
///
/// ```
/// use kernel::{
///     prelude::*,
///     sync::Arc,
///     time::HZ,
///     workqueue::{self, impl_has_delayed_work, new_delayed_work, DelayedWork, WorkItem},
/// };
/// # extern crate kernel as pin_init;
///
/// #[pin_data]
/// struct Blink {
///     #[pin]
///     work: DelayedWork<Blink>,
/// }
///
/// impl_has_delayed_work! {
///     impl HasDelayedWork<Self> for Blink { self.work }
/// }
///
/// impl WorkItem for Blink {
///     type Pointer = Arc<Blink>;
///
///     fn run(this: Arc<Blink>) {
///         // Once more in half a second, until the module is unloaded.
///         let _ = workqueue::system().enqueue_delayed(this, HZ / 2);
///     }
/// }
///
/// fn start() -> Result {
///     let blink = pin_init!(Blink { work <- new_delayed_work!("Blink::work") });
///     let _ = workqueue::system().enqueue_delayed(Arc::pin_init(blink, GFP_KERNEL)?, 0);
///     Ok(())
/// }
/// ```
#[doc(alias = "delayed_work")]
#[pin_data]
#[repr(transparent)]
pub struct DelayedWork<T: ?Sized, const ID: u64 = 0> {
    #[pin]
    work: Opaque<layout::DelayedWork>,
    _item: PhantomData<fn(&T)>,
}

// SAFETY: only the kernel's functions use the content; any thread may queue and run it.
unsafe impl<T: ?Sized, const ID: u64> Send for DelayedWork<T, ID> {}
// SAFETY: a shared reference to the value gives access to nothing; the kernel's functions use
// atomics and locks for the content.
unsafe impl<T: ?Sized, const ID: u64> Sync for DelayedWork<T, ID> {}

impl<T: ?Sized, const ID: u64> DelayedWork<T, ID> {
    /// Returns an initialiser of a work that is not queued.
    #[doc(alias = "INIT_DELAYED_WORK")]
    pub fn new(name: &'static CStr, key: Pin<&'static LockClassKey>) -> impl PinInit<Self>
    where
        T: WorkItem<ID>,
    {
        pin_init!(Self {
            // SAFETY: the function takes memory for a `struct delayed_work` that is valid for
            // writes and does not move: the slot has its size and alignment, and the value is
            // pinned. Name and key are static. The kernel calls `run` for works that were queued,
            // which only `__enqueue` does.
            work <- Opaque::ffi_init(|slot| unsafe {
                bindings::koru_delayed_work_init(
                    layout::DelayedWork::object(slot),
                    Some(T::Pointer::run),
                    name.as_ptr().cast(),
                    key.as_ptr(),
                );
            }),
            _item: PhantomData,
        })
    }

    /// Returns the work within a delayed work.
    ///
    /// # Safety
    ///
    /// `ptr` must be aligned and not dangling. The memory need not be initialised.
    #[inline]
    pub unsafe fn raw_as_work(ptr: *const Self) -> *mut Work<T, ID> {
        // `layout.c` checks that the work is the first field.
        ptr.cast_mut().cast()
    }
}

/// An object that has a [`DelayedWork`], as
/// [`impl_has_delayed_work!`](crate::impl_has_delayed_work) declares.
///
/// # Safety
///
/// The work that [`HasWork::raw_get_work`] returns must be that of a `DelayedWork<T, ID>`.
///
/// # Examples
///
/// ```
/// use kernel::workqueue::HasDelayedWork;
/// fn can_wait<T: HasDelayedWork<T>>() {}
/// ```
pub unsafe trait HasDelayedWork<T, const ID: u64 = 0>: HasWork<T, ID> {}

/// Creates an initialiser of a [`DelayedWork`] with a lock class of its own.
///
/// The name is optional, and defaults to the place in the source.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, workqueue::{new_delayed_work, DelayedWork, WorkItem}};
/// fn work<T: WorkItem>() -> impl PinInit<DelayedWork<T>> {
///     new_delayed_work!("example")
/// }
/// ```
#[macro_export]
macro_rules! new_delayed_work {
    ($($name:literal)? $(,)?) => {
        $crate::workqueue::DelayedWork::new(
            $crate::optional_name!($($name)?), $crate::static_lock_class!())
    };
}

/// Names the field that contains an object's [`DelayedWork`].
///
/// # Examples
///
/// ```
/// use kernel::workqueue::{impl_has_delayed_work, DelayedWork};
/// struct Job {
///     work: DelayedWork<Job>,
/// }
/// impl_has_delayed_work! {
///     impl HasDelayedWork<Self> for Job { self.work }
/// }
/// ```
#[macro_export]
macro_rules! impl_has_delayed_work {
    ($(
        impl$({$($generics:tt)*})? HasDelayedWork<$work_type:ty $(, $id:tt)?> for $t:ty {
            self.$field:ident
        }
    )*) => {$(
        // SAFETY: the other implementation returns the work of a field of this type.
        unsafe impl$(<$($generics)*>)?
            $crate::workqueue::HasDelayedWork<$work_type $(, $id)?> for $t {}

        // SAFETY: both functions name the same field. It is a field of the object itself, at a
        // fixed offset: `offset_of!` does not go through a `Deref`. It has the type that
        // `raw_as_work` takes, because raw pointers are not coerced, and its work is at its
        // beginning. It is aligned, because the compiler refuses a reference to a field that is
        // not.
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
                let field: *mut $crate::workqueue::DelayedWork<$work_type $(, $id)?> =
                    unsafe { &raw mut (*ptr).$field };
                // SAFETY: the pointer is that of a valid field.
                unsafe { $crate::workqueue::DelayedWork::raw_as_work(field) }
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
