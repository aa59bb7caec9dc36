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

pub use arc::{AtomicTracker, ListArc, ListArcSafe, TryNewListArc};

use crate::sync::ArcBorrow;
use crate::types::Opaque;
use core::iter::FusedIterator;
use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr;
use pin_init::PinInit;

#[doc(inline)]
pub use crate::{impl_list_arc_safe, impl_list_item};

/// The links of an object: both are null, or both point to links on the same list.
struct Fields {
    next: *mut Fields,
    prev: *mut Fields,
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

/// A list that owns its objects.
///
/// A lock around it allows to share it.
///
/// Context: any, as far as the list is concerned; it takes no lock and allocates nothing.
///
/// # Invariants
///
/// `first` is null, or the links of the first object in a ring of links, each of an object whose
/// `ListArc` the list owns.
///
/// # Examples
///
/// ```
/// use kernel::{list::{List, ListItem}, new_mutex, prelude::*, sync::Mutex};
/// fn list<T: ListItem>() -> impl PinInit<Mutex<List<T>>> {
///     new_mutex!(List::new())
/// }
/// ```
pub struct List<T: ListItem<ID>, const ID: u64 = 0> {
    first: *mut Fields,
    _owns: PhantomData<ListArc<T, ID>>,
}

// SAFETY: it is a collection of `ListArc`s.
unsafe impl<T: ListItem<ID>, const ID: u64> Send for List<T, ID> where ListArc<T, ID>: Send {}
// SAFETY: a shared reference gives access to borrows of the `ListArc`s.
unsafe impl<T: ListItem<ID>, const ID: u64> Sync for List<T, ID> where ListArc<T, ID>: Sync {}

impl<T: ListItem<ID>, const ID: u64> Default for List<T, ID> {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl<T: ListItem<ID>, const ID: u64> List<T, ID> {
    /// Creates an empty list.
    pub const fn new() -> Self {
        // INVARIANT: null stands for a list without objects.
        Self {
            first: ptr::null_mut(),
            _owns: PhantomData,
        }
    }

    /// Returns whether the list is empty.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    /// Inserts an object before `next` in the ring, or as the only one.
    ///
    /// # Safety
    ///
    /// `next` must be on this list, or be null if the list is empty.
    unsafe fn insert(&mut self, item: ListArc<T, ID>, next: *mut Fields) -> *mut Fields {
        // SAFETY: the object is valid, and with its `ListArc` its links are ours.
        let new = unsafe { T::view_links(item.into_raw()) }.cast::<Fields>();
        // SAFETY: the links in `new` are ours. By the type's invariant the others are on this list,
        // so nobody else uses them.
        unsafe {
            if next.is_null() {
                new.write(Fields {
                    next: new,
                    prev: new,
                });
                self.first = new;
            } else {
                let prev = (*next).prev;
                new.write(Fields { next, prev });
                (*prev).next = new;
                (*next).prev = new;
            }
        }
        new
    }

    /// Removes an object from the list.
    ///
    /// # Safety
    ///
    /// `item` must be on this list.
    unsafe fn take(&mut self, item: *mut Fields) -> ListArc<T, ID> {
        // SAFETY: by this function's contract the links are on this list, and so are their
        // neighbours.
        unsafe {
            let Fields { next, prev } = item.read();
            if next == item {
                self.first = ptr::null_mut();
            } else {
                (*prev).next = next;
                (*next).prev = prev;
                if self.first == item {
                    self.first = next;
                }
            }
            item.write(Fields {
                next: ptr::null_mut(),
                prev: ptr::null_mut(),
            });
            // INVARIANT: the list owned the object's `ListArc`, from `into_raw`, and gives it up.
            ListArc::from_raw(T::view_value(item.cast()))
        }
    }

    /// Adds an object at the end.
    #[inline]
    pub fn push_back(&mut self, item: ListArc<T, ID>) {
        // SAFETY: by the type's invariant `first` is on this list, or null if it is empty. The
        // place before the first is the end.
        unsafe { self.insert(item, self.first) };
    }

    /// Adds an object at the front.
    #[inline]
    pub fn push_front(&mut self, item: ListArc<T, ID>) {
        // SAFETY: by the type's invariant `first` is on this list, or null if it is empty.
        self.first = unsafe { self.insert(item, self.first) };
    }

    /// Removes the last object.
    pub fn pop_back(&mut self) -> Option<ListArc<T, ID>> {
        if self.is_empty() {
            return None;
        }
        // SAFETY: the list is not empty, so `first` is valid, and the links before it are those of
        // the last object.
        Some(unsafe { self.take((*self.first).prev) })
    }

    /// Removes the first object.
    pub fn pop_front(&mut self) -> Option<ListArc<T, ID>> {
        if self.is_empty() {
            return None;
        }
        // SAFETY: the list is not empty, so by the type's invariant `first` is on it.
        Some(unsafe { self.take(self.first) })
    }

    /// Removes this object, and returns it, or `None` if it is on no list.
    ///
    /// # Safety
    ///
    /// The object must not be on another list with this `ID`, and must not be in the course of
    /// being put on one.
    pub unsafe fn remove(&mut self, item: &T) -> Option<ListArc<T, ID>> {
        // SAFETY: `item` is a reference, so the object is valid.
        let links = unsafe { T::view_links(item) }.cast::<Fields>();
        // SAFETY: the links are those of a valid object, and nobody writes to them now: by this
        // function's contract the object is on no other list, and this list is borrowed mutably.
        let prev = unsafe { (*links).prev };
        if prev.is_null() {
            return None;
        }
        // SAFETY: the links are not null, so the object is on this list. The list's own pointer to
        // it may be used for the whole object, unlike one derived from `item`.
        Some(unsafe { self.take((*prev).next) })
    }

    /// Moves all objects of the other list to the end of this one.
    pub fn push_all_back(&mut self, other: &mut List<T, ID>) {
        if other.is_empty() {
            return;
        }
        let theirs = core::mem::replace(&mut other.first, ptr::null_mut());
        if self.is_empty() {
            self.first = theirs;
            return;
        }
        // SAFETY: by the type's invariants these are two complete rings. Their ends are joined
        // crosswise.
        unsafe {
            let (last, their_last) = ((*self.first).prev, (*theirs).prev);
            (*last).next = theirs;
            (*theirs).prev = last;
            (*their_last).next = self.first;
            (*self.first).prev = their_last;
        }
    }

    /// Returns an iterator of the objects, from the front.
    pub fn iter(&self) -> Iter<'_, T, ID> {
        Iter {
            // INVARIANT: the links before the first are those of the last object.
            ends: (!self.is_empty()).then(|| {
                // SAFETY: the list is not empty, so by the type's invariant `first` is on it.
                (self.first, unsafe { (*self.first).prev })
            }),
            _list: PhantomData,
        }
    }

    /// Returns a cursor before the first object.
    pub fn cursor_front(&mut self) -> Cursor<'_, T, ID> {
        Cursor {
            // INVARIANT: `first` is on the list, or null if there is no object.
            next: self.first,
            list: self,
        }
    }
}

impl<T: ListItem<ID>, const ID: u64> Drop for List<T, ID> {
    fn drop(&mut self) {
        while let Some(item) = self.pop_front() {
            drop(item);
        }
    }
}

/// An iterator of the objects of a list, in either direction.
///
/// # Invariants
///
/// `ends` are the links of the first and the last object that it will return, which are on the
/// list.
///
/// # Examples
///
/// ```
/// use kernel::{list::{List, ListItem}, sync::Arc};
/// fn last<T: ListItem>(list: &List<T>) -> Option<Arc<T>> {
///     list.iter().next_back().map(Arc::from)
/// }
/// ```
pub struct Iter<'a, T: ListItem<ID>, const ID: u64 = 0> {
    ends: Option<(*mut Fields, *mut Fields)>,
    _list: PhantomData<&'a List<T, ID>>,
}

// SAFETY: it borrows the list as `&List` does, so it may be sent where that may be sent: where the
// `ListArc`s may be shared.
unsafe impl<T: ListItem<ID>, const ID: u64> Send for Iter<'_, T, ID> where ListArc<T, ID>: Sync {}
// SAFETY: a shared reference gives access to nothing, and `&List` may be shared under this
// condition anyway.
unsafe impl<T: ListItem<ID>, const ID: u64> Sync for Iter<'_, T, ID> where ListArc<T, ID>: Sync {}

impl<'a, T: ListItem<ID>, const ID: u64> Iter<'a, T, ID> {
    /// Returns the object of the links.
    ///
    /// # Safety
    ///
    /// `links` must be on the list.
    #[inline]
    unsafe fn view(links: *mut Fields) -> ArcBorrow<'a, T> {
        // SAFETY: by this function's contract the links are on the list, which owns a reference to
        // the object and is borrowed during `'a`.
        unsafe { ArcBorrow::from_raw(T::view_value(links.cast())) }
    }
}

impl<'a, T: ListItem<ID>, const ID: u64> Iterator for Iter<'a, T, ID> {
    type Item = ArcBorrow<'a, T>;

    fn next(&mut self) -> Option<Self::Item> {
        let (first, last) = self.ends?;
        // SAFETY: by the type's invariant `first` is on the list, which does not change while it is
        // borrowed, so the links are valid.
        self.ends = (first != last).then(|| (unsafe { (*first).next }, last));
        // SAFETY: by the type's invariant `first` is on the list.
        Some(unsafe { Self::view(first) })
    }
}

impl<T: ListItem<ID>, const ID: u64> DoubleEndedIterator for Iter<'_, T, ID> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let (first, last) = self.ends?;
        // SAFETY: by the type's invariant `last` is on the list, which does not change while it is
        // borrowed, so the links are valid.
        self.ends = (first != last).then(|| (first, unsafe { (*last).prev }));
        // SAFETY: by the type's invariant `last` is on the list.
        Some(unsafe { Self::view(last) })
    }
}

impl<T: ListItem<ID>, const ID: u64> FusedIterator for Iter<'_, T, ID> {}

impl<'a, T: ListItem<ID>, const ID: u64> IntoIterator for &'a List<T, ID> {
    type IntoIter = Iter<'a, T, ID>;
    type Item = ArcBorrow<'a, T>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// An iterator that owns the objects of a list.
///
/// # Examples
///
/// ```
/// use kernel::list::{List, ListItem};
/// fn count<T: ListItem>(list: List<T>) -> usize {
///     list.into_iter().count()
/// }
/// ```
pub struct IntoIter<T: ListItem<ID>, const ID: u64 = 0>(List<T, ID>);

impl<T: ListItem<ID>, const ID: u64> Iterator for IntoIter<T, ID> {
    type Item = ListArc<T, ID>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.pop_front()
    }
}

impl<T: ListItem<ID>, const ID: u64> DoubleEndedIterator for IntoIter<T, ID> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.pop_back()
    }
}

impl<T: ListItem<ID>, const ID: u64> FusedIterator for IntoIter<T, ID> {}

impl<T: ListItem<ID>, const ID: u64> IntoIterator for List<T, ID> {
    type IntoIter = IntoIter<T, ID>;
    type Item = ListArc<T, ID>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        IntoIter(self)
    }
}

/// A place between two objects of a list, at which objects can be inserted and removed.
///
/// # Invariants
///
/// `next` is on the list, or null after the last object.
///
/// # Examples
///
/// ```
/// use kernel::list::{List, ListItem};
/// /// Takes off all that `is_old`.
/// fn clean<T: ListItem>(list: &mut List<T>, is_old: impl Fn(&T) -> bool) {
///     let mut cursor = list.cursor_front();
///     while let Some(next) = cursor.peek_next() {
///         if is_old(&next) {
///             drop(next.remove());
///         } else {
///             cursor.move_next();
///         }
///     }
/// }
/// ```
pub struct Cursor<'a, T: ListItem<ID>, const ID: u64 = 0> {
    list: &'a mut List<T, ID>,
    next: *mut Fields,
}

impl<'a, T: ListItem<ID>, const ID: u64> Cursor<'a, T, ID> {
    /// Returns the links before the place.
    fn prev(&self) -> *mut Fields {
        let first = self.list.first;
        if self.next == first {
            return ptr::null_mut();
        }
        // The place after the last object is the one before the first.
        let next = if self.next.is_null() {
            first
        } else {
            self.next
        };
        // SAFETY: the list is not empty, so both are on it.
        unsafe { (*next).prev }
    }

    /// Returns the object after the place.
    pub fn peek_next(&mut self) -> Option<CursorPeek<'_, 'a, T, ID>> {
        let item = self.next;
        // INVARIANT: the links are not null, so they are on the list, next to the cursor's place.
        (!item.is_null()).then_some(CursorPeek { cursor: self, item })
    }

    /// Returns the object before the place.
    pub fn peek_prev(&mut self) -> Option<CursorPeek<'_, 'a, T, ID>> {
        let item = self.prev();
        // INVARIANT: the links are not null, so they are on the list, next to the cursor's place.
        (!item.is_null()).then_some(CursorPeek { cursor: self, item })
    }

    /// Moves the place past the next object, and returns false if there is none.
    pub fn move_next(&mut self) -> bool {
        if self.next.is_null() {
            return false;
        }
        // SAFETY: `next` is not null, so by the type's invariant it is on the list. The links are
        // valid, and nobody else uses them while the list is borrowed mutably.
        let next = unsafe { (*self.next).next };
        // INVARIANT: the links after `next` are on the list, and null stands for the place after
        // the last object.
        self.next = if next == self.list.first {
            ptr::null_mut()
        } else {
            next
        };
        true
    }

    /// Moves the place back past the previous object, and returns false if there is none.
    pub fn move_prev(&mut self) -> bool {
        let prev = self.prev();
        if prev.is_null() {
            return false;
        }
        // INVARIANT: the links before the place are not null, so they are on the list.
        self.next = prev;
        true
    }

    fn insert(&mut self, item: ListArc<T, ID>) -> *mut Fields {
        let first = self.list.first;
        let next = if self.next.is_null() {
            first
        } else {
            self.next
        };
        // SAFETY: `next` is on the list, or the list is empty. The place after the last object is
        // the one before the first.
        let new = unsafe { self.list.insert(item, next) };
        if self.next == first {
            self.list.first = new;
        }
        new
    }

    /// Inserts an object after the place, so that it becomes the next one.
    #[inline]
    pub fn insert_next(&mut self, item: ListArc<T, ID>) {
        self.next = self.insert(item);
    }

    /// Inserts an object before the place, so that it becomes the previous one.
    #[inline]
    pub fn insert_prev(&mut self, item: ListArc<T, ID>) {
        self.insert(item);
    }
}

/// An object next to a [`Cursor`].
///
/// # Invariants
///
/// `item` is on the cursor's list, next to the cursor's place.
///
/// # Examples
///
/// ```
/// use kernel::{list::{List, ListArc, ListItem}};
/// fn take_first<T: ListItem>(list: &mut List<T>) -> Option<ListArc<T>> {
///     list.cursor_front().peek_next().map(|next| next.remove())
/// }
/// ```
pub struct CursorPeek<'a, 'b, T: ListItem<ID>, const ID: u64 = 0> {
    cursor: &'a mut Cursor<'b, T, ID>,
    item: *mut Fields,
}

impl<T: ListItem<ID>, const ID: u64> CursorPeek<'_, '_, T, ID> {
    /// Removes the object from the list.
    pub fn remove(self) -> ListArc<T, ID> {
        if self.cursor.next == self.item {
            self.cursor.move_next();
        }
        // SAFETY: by the type's invariant the object is on the cursor's list.
        unsafe { self.cursor.list.take(self.item) }
    }

    /// Returns a borrow that can become an [`Arc`](crate::sync::Arc).
    #[inline]
    pub fn arc(&self) -> ArcBorrow<'_, T> {
        // SAFETY: by the type's invariant the object is on the list, which owns a reference to it
        // and is borrowed.
        unsafe { ArcBorrow::from_raw(T::view_value(self.item.cast())) }
    }
}

impl<T: ListItem<ID>, const ID: u64> Deref for CursorPeek<'_, '_, T, ID> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: by the type's invariant the object is on the list, which owns a reference to it
        // and is borrowed.
        unsafe { &*T::view_value(self.item.cast()) }
    }
}
