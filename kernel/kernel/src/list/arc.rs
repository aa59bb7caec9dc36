// SPDX-License-Identifier: GPL-2.0-only

//! References that may be put on a list.

use crate::alloc::{AllocError, Flags};
use crate::init::InPlaceInit;
use crate::sync::{Arc, ArcBorrow, UniqueArc};
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use pin_init::{Init, PinInit};

/// Objects that can have a [`ListArc`]. Implement it by
/// [`impl_list_arc_safe!`](crate::impl_list_arc_safe).
///
/// # Examples
///
/// ```
/// use kernel::{impl_list_arc_safe, list::ListArcSafe};
/// struct Item;
/// impl_list_arc_safe! {
///     impl ListArcSafe<0> for Item { untracked; }
/// }
/// fn may_be_listed<T: ListArcSafe>() {}
/// may_be_listed::<Item>();
/// ```
pub trait ListArcSafe<const ID: u64 = 0> {
    /// The object has a [`ListArc`] now.
    ///
    /// # Safety
    ///
    /// The caller makes the object's only [`ListArc`] of this `ID`.
    unsafe fn on_create_list_arc_from_unique(self: Pin<&mut Self>);

    /// The object has no [`ListArc`] any more.
    ///
    /// # Safety
    ///
    /// The caller had it.
    unsafe fn on_drop_list_arc(&self);
}

/// Objects that know whether they have a [`ListArc`].
///
/// # Safety
///
/// `try_new_list_arc` returns true only if there is none, and from then on there is.
///
/// # Examples
///
/// ```
/// use kernel::{list::{ListArc, TryNewListArc}, sync::Arc};
/// fn listed<T: TryNewListArc>(arc: Arc<T>) -> Option<ListArc<T>> {
///     ListArc::try_from_arc(arc).ok()
/// }
/// ```
pub unsafe trait TryNewListArc<const ID: u64 = 0>: ListArcSafe<ID> {
    /// Claims the right to a [`ListArc`].
    fn try_new_list_arc(&self) -> bool;
}

/// A reference of which there is at most one an object (and `ID`): so its holder may
/// put the object on a list without asking whether it is on one.
///
/// # Examples
///
/// ```
/// use kernel::{list::{ListArc, ListArcSafe}, prelude::*, sync::Arc};
/// fn keep<T: ListArcSafe>(item: &ListArc<T>) -> Arc<T> {
///     item.clone_arc()
/// }
/// ```
///
/// # Invariants
///
/// The object has no other with this `ID`, and, if it is tracked, knows of this one.
#[repr(transparent)]
pub struct ListArc<T: ListArcSafe<ID> + ?Sized, const ID: u64 = 0> {
    arc: Arc<T>,
}

impl<T: ListArcSafe<ID>, const ID: u64> ListArc<T, ID> {
    /// Moves `contents` into new shared memory.
    #[inline]
    pub fn new(contents: T, flags: Flags) -> Result<Self, AllocError> {
        Ok(Self::from(UniqueArc::new(contents, flags)?))
    }

    #[inline]
    pub(super) fn into_raw(self) -> *const T {
        self.forget().into_raw()
    }

    /// # Safety
    ///
    /// As of [`Arc::from_raw`], and the right to a `ListArc` comes with it.
    pub(super) unsafe fn from_raw(ptr: *const T) -> Self {
        Self {
            // SAFETY: `Arc::from_raw` wants a pointer from `into_raw` that is taken back once,
            // which is what the caller promises.
            arc: unsafe { Arc::from_raw(ptr) },
        }
    }
}

impl<T: ListArcSafe<ID> + ?Sized, const ID: u64> ListArc<T, ID> {
    /// The reference, with the right to be a `ListArc`, which the caller has now.
    fn forget(self) -> Arc<T> {
        let me = ManuallyDrop::new(self);
        // SAFETY: it is moved out of what is not dropped.
        unsafe { core::ptr::read(&raw const me.arc) }
    }

    /// Makes one, if the object has none.
    ///
    /// # Errors
    ///
    /// Gives the reference back.
    pub fn try_from_arc(arc: Arc<T>) -> Result<Self, Arc<T>>
    where
        T: TryNewListArc<ID>,
    {
        if arc.try_new_list_arc() {
            Ok(Self { arc })
        } else {
            Err(arc)
        }
    }

    /// An ordinary reference instead.
    pub fn into_arc(self) -> Arc<T> {
        let arc = self.forget();
        // SAFETY: that was the right to it.
        unsafe { arc.on_drop_list_arc() };
        arc
    }

    /// One more, ordinary, reference.
    #[inline]
    pub fn clone_arc(&self) -> Arc<T> {
        self.arc.clone()
    }

    /// A borrow that can become an [`Arc`].
    #[inline]
    pub fn as_arc_borrow(&self) -> ArcBorrow<'_, T> {
        self.arc.as_arc_borrow()
    }

    /// Whether both are of the same object.
    #[inline]
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        Arc::ptr_eq(&this.arc, &other.arc)
    }
}

impl<T: ListArcSafe<ID> + ?Sized, const ID: u64> From<UniqueArc<T>> for ListArc<T, ID> {
    #[inline]
    fn from(unique: UniqueArc<T>) -> Self {
        Self::from(Pin::from(unique))
    }
}

impl<T: ListArcSafe<ID> + ?Sized, const ID: u64> From<Pin<UniqueArc<T>>> for ListArc<T, ID> {
    fn from(mut unique: Pin<UniqueArc<T>>) -> Self {
        // SAFETY: there is one reference, so there is no `ListArc`.
        unsafe { unique.as_mut().on_create_list_arc_from_unique() };
        Self { arc: unique.into() }
    }
}

impl<T: ListArcSafe<ID>, const ID: u64> InPlaceInit<T> for ListArc<T, ID> {
    type PinnedSelf = Self;

    #[inline]
    fn try_pin_init<E>(init: impl PinInit<T, E>, flags: Flags) -> Result<Self, E>
    where
        E: From<AllocError>,
    {
        Ok(UniqueArc::try_pin_init(init, flags)?.into())
    }

    #[inline]
    fn try_init<E>(init: impl Init<T, E>, flags: Flags) -> Result<Self, E>
    where
        E: From<AllocError>,
    {
        Ok(UniqueArc::try_init(init, flags)?.into())
    }
}

impl<T: ListArcSafe<ID> + ?Sized, const ID: u64> Deref for ListArc<T, ID> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.arc
    }
}

impl<T: ListArcSafe<ID> + ?Sized, const ID: u64> AsRef<Arc<T>> for ListArc<T, ID> {
    #[inline]
    fn as_ref(&self) -> &Arc<T> {
        &self.arc
    }
}

impl<T: ListArcSafe<ID> + ?Sized, const ID: u64> Drop for ListArc<T, ID> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: by the type's invariant this was the only one.
        unsafe { self.arc.on_drop_list_arc() }
    }
}

/// A field that knows whether the object around it has a [`ListArc`].
///
/// # Examples
///
/// ```
/// use kernel::{impl_list_arc_safe, list::AtomicTracker};
/// struct Item {
///     tracker: AtomicTracker,
/// }
/// impl_list_arc_safe! {
///     impl ListArcSafe<0> for Item {
///         tracked_by tracker: AtomicTracker;
///     }
/// }
/// fn item() -> Item {
///     Item { tracker: AtomicTracker::new() }
/// }
/// ```
///
/// # Invariants
///
/// False only while there is no `ListArc`.
#[repr(transparent)]
#[derive(Default)]
pub struct AtomicTracker<const ID: u64 = 0>(AtomicBool);

impl<const ID: u64> AtomicTracker<ID> {
    /// Of an object without a [`ListArc`].
    #[inline]
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }
}

impl<const ID: u64> ListArcSafe<ID> for AtomicTracker<ID> {
    unsafe fn on_create_list_arc_from_unique(self: Pin<&mut Self>) {
        *self.get_mut().0.get_mut() = true;
    }

    unsafe fn on_drop_list_arc(&self) {
        // What the holder did to the links is done before another holds them.
        self.0.store(false, Ordering::Release);
    }
}

// SAFETY: by the type's invariant false means that there is none.
unsafe impl<const ID: u64> TryNewListArc<ID> for AtomicTracker<ID> {
    fn try_new_list_arc(&self) -> bool {
        self.0
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }
}

/// Lets a type have [`ListArc`]s: `untracked`, where they are made with the object
/// only, or `tracked_by` a field, which makes one of an [`Arc`] at any time.
///
/// # Examples
///
/// ```
/// use kernel::{impl_list_arc_safe, list::ListLinks};
/// struct Item {
///     links: ListLinks,
/// }
/// impl_list_arc_safe! {
///     impl ListArcSafe<0> for Item { untracked; }
/// }
/// ```
#[macro_export]
macro_rules! impl_list_arc_safe {
    (impl$({$($generics:tt)*})? ListArcSafe<$num:tt> for $t:ty { untracked; } $($rest:tt)*) => {
        impl$(<$($generics)*>)? $crate::list::ListArcSafe<$num> for $t {
            unsafe fn on_create_list_arc_from_unique(self: $crate::__core::pin::Pin<&mut Self>) {}
            unsafe fn on_drop_list_arc(&self) {}
        }
        $crate::impl_list_arc_safe! { $($rest)* }
    };
    (impl$({$($generics:tt)*})? ListArcSafe<$num:tt> for $t:ty {
        tracked_by $field:ident : $fty:ty;
    } $($rest:tt)*) => {
        impl$(<$($generics)*>)? $crate::list::ListArcSafe<$num> for $t {
            unsafe fn on_create_list_arc_from_unique(self: $crate::__core::pin::Pin<&mut Self>) {
                // SAFETY: the value is not moved out of the reference.
                let this = unsafe { $crate::__core::pin::Pin::get_unchecked_mut(self) };
                // Only a direct field has an offset, a reference to it must be
                // aligned, and none becomes a raw pointer to what it dereferences
                // to: so this is the object's own field, and its type is `$fty`.
                let _ = $crate::__core::mem::offset_of!(Self, $field);
                let field: *mut $fty = &mut this.$field;
                // SAFETY: `field` is a place in `this`, which is borrowed mutably
                // and not used while `field` is.
                let field = unsafe { &mut *field };
                // SAFETY: the caller makes the only `ListArc` of `self`, whose
                // tracker is the field.
                unsafe {
                    <$fty as $crate::list::ListArcSafe<$num>>::on_create_list_arc_from_unique(
                        $crate::__core::pin::Pin::new(field),
                    )
                }
            }

            unsafe fn on_drop_list_arc(&self) {
                let _ = $crate::__core::mem::offset_of!(Self, $field);
                let field: *const $fty = &self.$field;
                // SAFETY: `field` is a place in `self`, which is borrowed.
                let field = unsafe { &*field };
                // SAFETY: the caller had the `ListArc` of `self`, whose tracker is
                // the field.
                unsafe { <$fty as $crate::list::ListArcSafe<$num>>::on_drop_list_arc(field) }
            }
        }

        // SAFETY: the field returns true only if there is no `ListArc` that it
        // knows of, and it is told of all: the functions above tell the same field.
        unsafe impl$(<$($generics)*>)? $crate::list::TryNewListArc<$num> for $t
        where
            $fty: $crate::list::TryNewListArc<$num>,
        {
            fn try_new_list_arc(&self) -> bool {
                let _ = $crate::__core::mem::offset_of!(Self, $field);
                let field: *const $fty = &self.$field;
                // SAFETY: `field` is a place in `self`, which is borrowed.
                let field = unsafe { &*field };
                <$fty as $crate::list::TryNewListArc<$num>>::try_new_list_arc(field)
            }
        }
        $crate::impl_list_arc_safe! { $($rest)* }
    };
    () => {};
}
