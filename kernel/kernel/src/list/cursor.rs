// SPDX-License-Identifier: GPL-2.0-only

//! Places in a list, at which objects are inserted and removed.

use super::arc::ListArc;
use super::item::{Fields, ListItem};
use super::ring::List;
use crate::sync::ArcBorrow;
use core::ops::Deref;
use core::ptr;

impl<T: ListItem<ID>, const ID: u64> List<T, ID> {
    /// Returns a cursor before the first object.
    pub fn cursor_front(&mut self) -> Cursor<'_, T, ID> {
        Cursor {
            // INVARIANT: `first` is on the list, or null if there is no object.
            next: self.first,
            list: self,
        }
    }

    /// Returns a cursor after the last object.
    pub fn cursor_back(&mut self) -> Cursor<'_, T, ID> {
        Cursor {
            // INVARIANT: null stands for the place after the last object.
            next: ptr::null_mut(),
            list: self,
        }
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
        unsafe { self.cursor.list.unlink(self.item) }
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
