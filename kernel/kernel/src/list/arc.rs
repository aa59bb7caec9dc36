// SPDX-License-Identifier: GPL-2.0-only

//! References that give the right to put an object on a list.

use crate::alloc::{AllocError, Flags};
use crate::init::InPlaceInit;
use crate::sync::{Arc, ArcBorrow, UniqueArc};
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use pin_init::{Init, PinInit};

/// An object that can have a [`ListArc`], which [`impl_list_arc_safe!`](crate::impl_list_arc_safe)
/// implements.
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
    /// Records that the object has a [`ListArc`] now.
    ///
    /// # Safety
    ///
    /// The caller must create the object's only [`ListArc`] of this `ID`.
    unsafe fn on_create_list_arc_from_unique(self: Pin<&mut Self>);

    /// Records that the object has no [`ListArc`] any more.
    ///
    /// # Safety
    ///
    /// The caller must have had the object's [`ListArc`] of this `ID`, and must have given it up.
    unsafe fn on_drop_list_arc(&self);
}

/// An object that records whether it has a [`ListArc`].
///
/// # Safety
///
/// `try_new_list_arc` must return true only if there is no [`ListArc`], and must record then that
/// there is one.
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
    /// Claims the right to create a [`ListArc`].
    fn try_new_list_arc(&self) -> bool;
}

/// A reference of which there is at most one for each object and `ID`.
///
/// So its holder may put the object on a list without checking whether it is on one.
///
/// # Invariants
///
/// The object has no other [`ListArc`] with this `ID`, and, if it is tracked, has recorded this
/// one.
///
/// # Examples
///
/// ```
/// use kernel::{list::{ListArc, ListArcSafe}, prelude::*, sync::Arc};
/// fn keep<T: ListArcSafe>(item: &ListArc<T>) -> Arc<T> {
///     item.clone_arc()
/// }
/// ```
#[repr(transparent)]
pub struct ListArc<T: ListArcSafe<ID> + ?Sized, const ID: u64 = 0> {
    arc: Arc<T>,
}

impl<T: ListArcSafe<ID>, const ID: u64> ListArc<T, ID> {
    /// Allocates memory, and moves `contents` into it.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory; `contents` is dropped then.
    #[inline]
    pub fn new(contents: T, flags: Flags) -> Result<Self, AllocError> {
        Ok(Self::from(UniqueArc::new(contents, flags)?))
    }

    #[inline]
    pub(super) fn into_raw(self) -> *const T {
        self.forget().into_raw()
    }

    /// Creates a `ListArc` from a pointer that [`Self::into_raw`] returned.
    ///
    /// # Safety
    ///
    /// The requirements of [`Arc::from_raw`] must be met, and the caller must pass on the right to
    /// the object's `ListArc`.
    pub(super) unsafe fn from_raw(ptr: *const T) -> Self {
        Self {
            // INVARIANT: by this function's contract the caller passes on the right to the only
            // `ListArc`.
            // SAFETY: `Arc::from_raw` takes a pointer from `into_raw` that is converted back once,
            // which this is by this function's contract.
            arc: unsafe { Arc::from_raw(ptr) },
        }
    }
}

impl<T: ListArcSafe<ID> + ?Sized, const ID: u64> ListArc<T, ID> {
    /// Returns the reference without its right to be a `ListArc`, which the caller has then.
    fn forget(self) -> Arc<T> {
        let me = ManuallyDrop::new(self);
        // SAFETY: the value is moved out of one that is not dropped.
        unsafe { core::ptr::read(&raw const me.arc) }
    }

    /// Creates a `ListArc` if the object has none.
    ///
    /// # Errors
    ///
    /// Returns the reference if the object has a `ListArc` already.
    pub fn try_from_arc(arc: Arc<T>) -> Result<Self, Arc<T>>
    where
        T: TryNewListArc<ID>,
    {
        if arc.try_new_list_arc() {
            // INVARIANT: the object has no other `ListArc`, and has just recorded this one.
            Ok(Self { arc })
        } else {
            Err(arc)
        }
    }

    /// Converts this to an ordinary reference.
    pub fn into_arc(self) -> Arc<T> {
        let arc = self.forget();
        // SAFETY: by the type's invariant this was the object's only `ListArc`, which is given up.
        unsafe { arc.on_drop_list_arc() };
        arc
    }

    /// Clones an ordinary reference to the object.
    #[inline]
    pub fn clone_arc(&self) -> Arc<T> {
        self.arc.clone()
    }

    /// Returns a borrow that can become an [`Arc`].
    #[inline]
    pub fn as_arc_borrow(&self) -> ArcBorrow<'_, T> {
        self.arc.as_arc_borrow()
    }

    /// Returns whether both pointers refer to the same object.
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
        // SAFETY: `unique` is the only reference to the object, so there is no `ListArc`.
        unsafe { unique.as_mut().on_create_list_arc_from_unique() };
        // INVARIANT: the object has no other reference, and has just recorded this `ListArc`.
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
        // SAFETY: by the type's invariant this was the object's only `ListArc`.
        unsafe { self.arc.on_drop_list_arc() }
    }
}

/// A field that records whether the object that contains it has a [`ListArc`].
///
/// # Invariants
///
/// The value is false only while there is no [`ListArc`].
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
#[repr(transparent)]
#[derive(Default)]
pub struct AtomicTracker<const ID: u64 = 0>(AtomicBool);

impl<const ID: u64> AtomicTracker<ID> {
    /// Creates a tracker of an object without a [`ListArc`].
    #[inline]
    pub const fn new() -> Self {
        // INVARIANT: a new object has no `ListArc`.
        Self(AtomicBool::new(false))
    }
}

impl<const ID: u64> ListArcSafe<ID> for AtomicTracker<ID> {
    unsafe fn on_create_list_arc_from_unique(self: Pin<&mut Self>) {
        *self.get_mut().0.get_mut() = true;
    }

    unsafe fn on_drop_list_arc(&self) {
        // What this holder did to the links happens before another one holds them.
        self.0.store(false, Ordering::Release);
    }
}

// SAFETY: by the type's invariant false means that there is no `ListArc`.
unsafe impl<const ID: u64> TryNewListArc<ID> for AtomicTracker<ID> {
    fn try_new_list_arc(&self) -> bool {
        self.0
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }
}

/// Lets a type have [`ListArc`]s.
///
/// With `untracked` they can only be created together with the object. With `tracked_by` a field,
/// they can be created from an [`Arc`] at any time.
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
                // Only a direct field has an offset, a reference to it must be aligned, and no
                // reference becomes a raw pointer to what it dereferences to: so this is the
                // object's own field, and its type is `$fty`.
                let _ = $crate::__core::mem::offset_of!(Self, $field);
                let field: *mut $fty = &mut this.$field;
                // SAFETY: `field` is a place in `this`, which is borrowed mutably and not used
                // while `field` is.
                let field = unsafe { &mut *field };
                // SAFETY: by the trait's contract the caller creates the only `ListArc` of `self`,
                // whose tracker is the field.
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
                // SAFETY: by the trait's contract the caller had the `ListArc` of `self`, whose
                // tracker is the field.
                unsafe { <$fty as $crate::list::ListArcSafe<$num>>::on_drop_list_arc(field) }
            }
        }

        // SAFETY: the field returns true only if there is no `ListArc` that it knows of, and it
        // knows of all, because the functions above record them in the same field.
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
