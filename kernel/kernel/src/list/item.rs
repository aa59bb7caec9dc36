// SPDX-License-Identifier: GPL-2.0-only

//! Objects that can be on a list, and their links.

use super::arc::ListArcSafe;
use crate::types::Opaque;
use core::ptr;
use pin_init::PinInit;

/// The links of an object: both are null, or both point to links on the same list.
pub(super) struct Fields {
    pub(super) next: *mut Fields,
    pub(super) prev: *mut Fields,
}

/// The field of an object by which it can be on a list.
///
/// # Examples
///
/// ```
/// use kernel::{list::ListLinks, prelude::*};
/// # extern crate kernel as pin_init;
/// /// On two lists at once.
/// #[pin_data]
/// struct Item {
///     #[pin]
///     all: ListLinks<0>,
///     #[pin]
///     waiting: ListLinks<1>,
/// }
/// fn item() -> impl PinInit<Item> {
///     pin_init!(Item { all <- ListLinks::new(), waiting <- ListLinks::new() })
/// }
/// ```
#[repr(transparent)]
pub struct ListLinks<const ID: u64 = 0> {
    inner: Opaque<Fields>,
}

// SAFETY: only the holder of the object's `ListArc` accesses the links.
unsafe impl<const ID: u64> Send for ListLinks<ID> {}
// SAFETY: a shared reference to the links gives access to nothing: only the list that has the
// object's `ListArc` follows them.
unsafe impl<const ID: u64> Sync for ListLinks<ID> {}

impl<const ID: u64> ListLinks<ID> {
    /// Returns an initialiser of links that are on no list.
    pub fn new() -> impl PinInit<Self> {
        let init = |slot: *mut Self| {
            // SAFETY: the slot is valid for writes, and `ListLinks` is a transparent wrapper of
            // `Fields`.
            unsafe {
                slot.cast::<Fields>().write(Fields {
                    next: ptr::null_mut(),
                    prev: ptr::null_mut(),
                });
            }
            Ok(())
        };
        // SAFETY: the closure initialises the slot, and cannot fail.
        unsafe { pin_init::pin_init_from_closure(init) }
    }
}

/// An object that can be on a list, which [`impl_list_item!`](crate::impl_list_item) implements.
///
/// # Safety
///
/// `view_links` must return a pointer to the object's links with the provenance of the given
/// pointer, and `view_value` must reverse that.
///
/// # Examples
///
/// ```
/// use kernel::list::{List, ListItem};
/// fn len<T: ListItem>(list: &List<T>) -> usize {
///     list.iter().count()
/// }
/// ```
pub unsafe trait ListItem<const ID: u64 = 0>: ListArcSafe<ID> + Sized {
    /// Returns the links of an object.
    ///
    /// # Safety
    ///
    /// `me` must point to a valid object.
    unsafe fn view_links(me: *const Self) -> *mut ListLinks<ID>;

    /// Returns the object that contains the links.
    ///
    /// # Safety
    ///
    /// `links` must come from [`Self::view_links`].
    unsafe fn view_value(links: *mut ListLinks<ID>) -> *const Self;
}

/// Implements [`ListItem`], and names the field that contains the links.
///
/// # Examples
///
/// ```
/// use kernel::{impl_list_arc_safe, impl_list_item, list::ListLinks};
/// struct Item {
///     links: ListLinks,
/// }
/// impl_list_arc_safe! {
///     impl ListArcSafe<0> for Item { untracked; }
/// }
/// impl_list_item! {
///     impl ListItem<0> for Item { using ListLinks { self.links }; }
/// }
/// ```
#[macro_export]
macro_rules! impl_list_item {
    ($(
        impl$({$($generics:tt)*})? ListItem<$num:tt> for $t:ty {
            using ListLinks { self$(.$field:ident)+ };
        }
    )*) => {$(
        // SAFETY: both functions name the same field. It is a field of the object itself, at a
        // fixed offset: `offset_of!` does not go through a `Deref`. It has the type in the
        // signature, because raw pointers are not coerced. It is aligned, because the compiler
        // refuses a reference to a field that is not.
        unsafe impl$(<$($generics)*>)? $crate::list::ListItem<$num> for $t {
            unsafe fn view_links(me: *const Self) -> *mut $crate::list::ListLinks<$num> {
                fn aligned$(<$($generics)*>)?(me: &$t) {
                    let _ = &me$(.$field)+;
                }
                let _: fn(&Self) = aligned;
                // SAFETY: by the trait's contract the pointer is that of a valid object, which
                // contains the field. The value is not read.
                unsafe { &raw mut (*me.cast_mut())$(.$field)+ }
            }

            unsafe fn view_value(links: *mut $crate::list::ListLinks<$num>) -> *const Self {
                let offset = $crate::__core::mem::offset_of!(Self, $($field).+);
                // SAFETY: by the trait's contract the pointer comes from `view_links`, which added
                // this offset within an object, and may be used for the whole object.
                unsafe { links.byte_sub(offset) }.cast_const().cast()
            }
        }
    )*};
}
