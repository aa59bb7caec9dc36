// SPDX-License-Identifier: GPL-2.0-only

//! Lists whose links are in the objects: putting one on a list allocates nothing.
//!
//! An object is on one list at a time for each [`ListLinks`] that it has. That this
//! is so, a [`ListArc`] says: there is at most one of it, and putting the object on
//! a list takes it. Others may have ordinary [`Arc`](crate::sync::Arc)s meanwhile.
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

/// Null both, or both of them links on the same list.
struct Fields {
    next: *mut Fields,
    prev: *mut Fields,
}

/// The field by which an object is on a list.
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

// SAFETY: only the holder of the object's `ListArc` touches them.
unsafe impl<const ID: u64> Send for ListLinks<ID> {}
// SAFETY: by a shared reference to them nothing can be reached: only the list that has the
// object's `ListArc` follows them.
unsafe impl<const ID: u64> Sync for ListLinks<ID> {}

impl<const ID: u64> ListLinks<ID> {
    /// Of an object that is on no list.
    pub fn new() -> impl PinInit<Self> {
        let init = |slot: *mut Self| {
            // SAFETY: the slot is valid; the type is transparent.
            unsafe {
                slot.cast::<Fields>().write(Fields {
                    next: ptr::null_mut(),
                    prev: ptr::null_mut(),
                });
            }
            Ok(())
        };
        // SAFETY: the slot is initialised.
        unsafe { pin_init::pin_init_from_closure(init) }
    }
}

/// Objects that can be on a list. Implement it by
/// [`impl_list_item!`](crate::impl_list_item).
///
/// # Safety
///
/// `view_links` gives the object's links, by the pointer's own provenance, and
/// `view_value` undoes it.
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
    /// The object's links.
    ///
    /// # Safety
    ///
    /// `me` is that of a valid object.
    unsafe fn view_links(me: *const Self) -> *mut ListLinks<ID>;

    /// The object of these links.
    ///
    /// # Safety
    ///
    /// `links` comes from [`Self::view_links`].
    unsafe fn view_value(links: *mut ListLinks<ID>) -> *const Self;
}

/// Says which field is the links.
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
        // SAFETY: both functions name the same field. It is one of the object
        // itself, at a fixed offset: `offset_of!` does not go through a `Deref`. Its
        // type is the one in the signature: raw pointers are not coerced. It is
        // aligned: the compiler refuses the reference to one that is not.
        unsafe impl$(<$($generics)*>)? $crate::list::ListItem<$num> for $t {
            unsafe fn view_links(me: *const Self) -> *mut $crate::list::ListLinks<$num> {
                fn aligned$(<$($generics)*>)?(me: &$t) {
                    let _ = &me$(.$field)+;
                }
                let _: fn(&Self) = aligned;
                // SAFETY: the caller's pointer is that of a valid object, so the
                // place of its field is in it. The value is not read.
                unsafe { &raw mut (*me.cast_mut())$(.$field)+ }
            }

            unsafe fn view_value(links: *mut $crate::list::ListLinks<$num>) -> *const Self {
                let offset = $crate::__core::mem::offset_of!(Self, $($field).+);
                // SAFETY: the caller's pointer comes from `view_links`, which went
                // this far into an object, and may be used for all of it.
                unsafe { links.byte_sub(offset) }.cast_const().cast()
            }
        }
    )*};
}

/// A list that owns what is on it. Put it behind a lock to share it.
///
/// Context: any: it takes no lock, and allocates nothing. What protects it decides.
///
/// # Examples
///
/// ```
/// use kernel::{list::{List, ListItem}, new_mutex, prelude::*, sync::Mutex};
/// fn list<T: ListItem>() -> impl PinInit<Mutex<List<T>>> {
///     new_mutex!(List::new())
/// }
/// ```
///
/// # Invariants
///
/// `first` is null, or the links of the first object in a ring of links, each of an
/// object whose `ListArc` the list has.
pub struct List<T: ListItem<ID>, const ID: u64 = 0> {
    first: *mut Fields,
    _owns: PhantomData<ListArc<T, ID>>,
}

// SAFETY: it is a collection of `ListArc`s.
unsafe impl<T: ListItem<ID>, const ID: u64> Send for List<T, ID> where ListArc<T, ID>: Send {}
// SAFETY: a shared reference gives out borrows of them.
unsafe impl<T: ListItem<ID>, const ID: u64> Sync for List<T, ID> where ListArc<T, ID>: Sync {}

impl<T: ListItem<ID>, const ID: u64> Default for List<T, ID> {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl<T: ListItem<ID>, const ID: u64> List<T, ID> {
    /// An empty one.
    pub const fn new() -> Self {
        Self {
            first: ptr::null_mut(),
            _owns: PhantomData,
        }
    }

    /// Whether nothing is on it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    /// Puts the object before `next` in the ring, or makes it the only one.
    ///
    /// # Safety
    ///
    /// `next` is on this list; null if it is empty.
    unsafe fn insert(&mut self, item: ListArc<T, ID>, next: *mut Fields) -> *mut Fields {
        // SAFETY: the object is valid, and with the `ListArc` its links are ours.
        let new = unsafe { T::view_links(item.into_raw()) }.cast::<Fields>();
        // SAFETY: `new` is ours; by the type's invariant the others are on the
        // list, and so nobody else's.
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

    /// Takes an object off.
    ///
    /// # Safety
    ///
    /// `item` is on this list.
    unsafe fn take(&mut self, item: *mut Fields) -> ListArc<T, ID> {
        // SAFETY: it and its neighbours are on the list.
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
            // The list had its `ListArc`, from `into_raw`.
            ListArc::from_raw(T::view_value(item.cast()))
        }
    }

    /// Puts an object at the end.
    #[inline]
    pub fn push_back(&mut self, item: ListArc<T, ID>) {
        // SAFETY: what is before the first is the last.
        unsafe { self.insert(item, self.first) };
    }

    /// Puts an object at the front.
    #[inline]
    pub fn push_front(&mut self, item: ListArc<T, ID>) {
        // SAFETY: by the list's invariant `first` is on it, or null if it is empty.
        self.first = unsafe { self.insert(item, self.first) };
    }

    /// Takes the last object off.
    pub fn pop_back(&mut self) -> Option<ListArc<T, ID>> {
        if self.is_empty() {
            return None;
        }
        // SAFETY: what is before the first is the last.
        Some(unsafe { self.take((*self.first).prev) })
    }

    /// Takes the first object off.
    pub fn pop_front(&mut self) -> Option<ListArc<T, ID>> {
        if self.is_empty() {
            return None;
        }
        // SAFETY: the first is on the list.
        Some(unsafe { self.take(self.first) })
    }

    /// Takes this object off; `None` if it is on no list.
    ///
    /// # Safety
    ///
    /// The object is on no other list with this `ID`, nor being put on one.
    pub unsafe fn remove(&mut self, item: &T) -> Option<ListArc<T, ID>> {
        // SAFETY: the object is valid.
        let links = unsafe { T::view_links(item) }.cast::<Fields>();
        // SAFETY: the links are those of a valid object, and nobody writes to them now: the
        // caller promises that it is on no other list and not being put on one, and this list
        // is borrowed mutably.
        let prev = unsafe { (*links).prev };
        if prev.is_null() {
            return None;
        }
        // SAFETY: so it is on this list. The list's own pointer to it may reach the
        // whole object, not only what `item` does.
        Some(unsafe { self.take((*prev).next) })
    }

    /// Moves all of the other list to the end of this.
    pub fn push_all_back(&mut self, other: &mut List<T, ID>) {
        if other.is_empty() {
            return;
        }
        let theirs = core::mem::replace(&mut other.first, ptr::null_mut());
        if self.is_empty() {
            self.first = theirs;
            return;
        }
        // SAFETY: two whole rings, of which the ends are joined crosswise.
        unsafe {
            let (last, their_last) = ((*self.first).prev, (*theirs).prev);
            (*last).next = theirs;
            (*theirs).prev = last;
            (*their_last).next = self.first;
            (*self.first).prev = their_last;
        }
    }

    /// The objects, from the front.
    pub fn iter(&self) -> Iter<'_, T, ID> {
        Iter {
            ends: (!self.is_empty()).then(|| {
                // SAFETY: the first is on the list.
                (self.first, unsafe { (*self.first).prev })
            }),
            _list: PhantomData,
        }
    }

    /// A place in the list, before the first object.
    pub fn cursor_front(&mut self) -> Cursor<'_, T, ID> {
        Cursor {
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

/// The objects of a list, in order or backwards.
///
/// # Examples
///
/// ```
/// use kernel::{list::{List, ListItem}, sync::Arc};
/// fn last<T: ListItem>(list: &List<T>) -> Option<Arc<T>> {
///     list.iter().next_back().map(Arc::from)
/// }
/// ```
///
/// # Invariants
///
/// `ends` are the first and the last that are still to come.
pub struct Iter<'a, T: ListItem<ID>, const ID: u64 = 0> {
    ends: Option<(*mut Fields, *mut Fields)>,
    _list: PhantomData<&'a List<T, ID>>,
}

// SAFETY: it borrows the list as `&List` does, so it may be sent where that may: where what
// the list owns may be shared.
unsafe impl<T: ListItem<ID>, const ID: u64> Send for Iter<'_, T, ID> where ListArc<T, ID>: Sync {}
// SAFETY: by a shared iterator nothing can be reached; and it is a `&List` all the same.
unsafe impl<T: ListItem<ID>, const ID: u64> Sync for Iter<'_, T, ID> where ListArc<T, ID>: Sync {}

impl<'a, T: ListItem<ID>, const ID: u64> Iter<'a, T, ID> {
    /// # Safety
    ///
    /// `links` is on the list.
    #[inline]
    unsafe fn view(links: *mut Fields) -> ArcBorrow<'a, T> {
        // SAFETY: the list has a reference to it, and is borrowed.
        unsafe { ArcBorrow::from_raw(T::view_value(links.cast())) }
    }
}

impl<'a, T: ListItem<ID>, const ID: u64> Iterator for Iter<'a, T, ID> {
    type Item = ArcBorrow<'a, T>;

    fn next(&mut self) -> Option<Self::Item> {
        let (first, last) = self.ends?;
        // SAFETY: by the type's invariant `first` is on the list, which does not change while
        // it is borrowed, so its links are valid.
        self.ends = (first != last).then(|| (unsafe { (*first).next }, last));
        // SAFETY: by the type's invariant `first` is on the list.
        Some(unsafe { Self::view(first) })
    }
}

impl<T: ListItem<ID>, const ID: u64> DoubleEndedIterator for Iter<'_, T, ID> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let (first, last) = self.ends?;
        // SAFETY: by the type's invariant `last` is on the list, which does not change while
        // it is borrowed, so its links are valid.
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

/// The objects of a list, which is taken apart.
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

/// A place between two objects of a list, where things are taken off or put in.
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
///
/// # Invariants
///
/// `next` is on the list, or null behind the last.
pub struct Cursor<'a, T: ListItem<ID>, const ID: u64 = 0> {
    list: &'a mut List<T, ID>,
    next: *mut Fields,
}

impl<'a, T: ListItem<ID>, const ID: u64> Cursor<'a, T, ID> {
    /// What is before the place.
    fn prev(&self) -> *mut Fields {
        let first = self.list.first;
        if self.next == first {
            return ptr::null_mut();
        }
        // Behind the last: that is before the first.
        let next = if self.next.is_null() {
            first
        } else {
            self.next
        };
        // SAFETY: the list is not empty, so both are on it.
        unsafe { (*next).prev }
    }

    /// The object behind the place.
    pub fn peek_next(&mut self) -> Option<CursorPeek<'_, 'a, T, ID>> {
        let item = self.next;
        (!item.is_null()).then_some(CursorPeek { cursor: self, item })
    }

    /// The object before the place.
    pub fn peek_prev(&mut self) -> Option<CursorPeek<'_, 'a, T, ID>> {
        let item = self.prev();
        (!item.is_null()).then_some(CursorPeek { cursor: self, item })
    }

    /// Goes over the next object; false at the end.
    pub fn move_next(&mut self) -> bool {
        if self.next.is_null() {
            return false;
        }
        // SAFETY: by the type's invariant `next`, which is not null, is on the list, so its
        // links are valid, and nobody else's while the list is borrowed mutably.
        let next = unsafe { (*self.next).next };
        self.next = if next == self.list.first {
            ptr::null_mut()
        } else {
            next
        };
        true
    }

    /// Goes back over the object before; false at the front.
    pub fn move_prev(&mut self) -> bool {
        let prev = self.prev();
        if prev.is_null() {
            return false;
        }
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
        // SAFETY: both are on the list, or it is empty. Behind the last is before
        // the first.
        let new = unsafe { self.list.insert(item, next) };
        if self.next == first {
            self.list.first = new;
        }
        new
    }

    /// Puts an object behind the place: it is the next.
    #[inline]
    pub fn insert_next(&mut self, item: ListArc<T, ID>) {
        self.next = self.insert(item);
    }

    /// Puts an object before the place.
    #[inline]
    pub fn insert_prev(&mut self, item: ListArc<T, ID>) {
        self.insert(item);
    }
}

/// An object beside a [`Cursor`].
///
/// # Examples
///
/// ```
/// use kernel::{list::{List, ListArc, ListItem}};
/// fn take_first<T: ListItem>(list: &mut List<T>) -> Option<ListArc<T>> {
///     list.cursor_front().peek_next().map(|next| next.remove())
/// }
/// ```
///
/// # Invariants
///
/// `item` is on the cursor's list, next to its place.
pub struct CursorPeek<'a, 'b, T: ListItem<ID>, const ID: u64 = 0> {
    cursor: &'a mut Cursor<'b, T, ID>,
    item: *mut Fields,
}

impl<T: ListItem<ID>, const ID: u64> CursorPeek<'_, '_, T, ID> {
    /// Takes it off the list.
    pub fn remove(self) -> ListArc<T, ID> {
        if self.cursor.next == self.item {
            self.cursor.move_next();
        }
        // SAFETY: by the type's invariant the object is on the cursor's list.
        unsafe { self.cursor.list.take(self.item) }
    }

    /// A borrow that can become an [`Arc`](crate::sync::Arc).
    #[inline]
    pub fn arc(&self) -> ArcBorrow<'_, T> {
        // SAFETY: the list has a reference to it, and is borrowed.
        unsafe { ArcBorrow::from_raw(T::view_value(self.item.cast())) }
    }
}

impl<T: ListItem<ID>, const ID: u64> Deref for CursorPeek<'_, '_, T, ID> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the list has a reference to it, and is borrowed.
        unsafe { &*T::view_value(self.item.cast()) }
    }
}
