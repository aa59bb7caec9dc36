// SPDX-License-Identifier: GPL-2.0-only

//! The iterators of lists.

use super::arc::ListArc;
use super::item::{Fields, ListItem};
use super::ring::List;
use crate::sync::ArcBorrow;
use core::iter::FusedIterator;
use core::marker::PhantomData;

impl<T: ListItem<ID>, const ID: u64> List<T, ID> {
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
