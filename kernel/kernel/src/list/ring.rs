// SPDX-License-Identifier: GPL-2.0-only

//! A list: a ring of links.

use super::arc::ListArc;
use super::item::{Fields, ListItem};
use core::marker::PhantomData;
use core::ptr;

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
    pub(super) first: *mut Fields,
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
    pub(super) unsafe fn insert(&mut self, item: ListArc<T, ID>, next: *mut Fields) -> *mut Fields {
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
    pub(super) unsafe fn unlink(&mut self, item: *mut Fields) -> ListArc<T, ID> {
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
        Some(unsafe { self.unlink((*self.first).prev) })
    }

    /// Removes the first object.
    pub fn pop_front(&mut self) -> Option<ListArc<T, ID>> {
        if self.is_empty() {
            return None;
        }
        // SAFETY: the list is not empty, so by the type's invariant `first` is on it.
        Some(unsafe { self.unlink(self.first) })
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
        Some(unsafe { self.unlink((*prev).next) })
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
}

impl<T: ListItem<ID>, const ID: u64> Drop for List<T, ID> {
    fn drop(&mut self) {
        while let Some(item) = self.pop_front() {
            drop(item);
        }
    }
}
