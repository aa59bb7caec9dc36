// SPDX-License-Identifier: GPL-2.0-only

//! The deque of an open file.
//!
//! Nothing here depends on the kernel, so tests can run it anywhere.

use core::ops::DerefMut;

/// A deque that holds as many integers as its storage has slots.
///
/// The integers are in a ring: they start at slot `first`, and the first slot follows the last one.
/// So both ends grow and shrink without moving the integers between them.
pub(crate) struct Deque<S> {
    slots: S,
    first: usize,
    len: usize,
}

/// The error of [`Deque::push`]: no slot is free.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl<S: DerefMut<Target = [i32]>> Deque<S> {
    /// Creates an empty deque.
    pub(crate) fn new(slots: S) -> Self {
        Self {
            slots,
            first: 0,
            len: 0,
        }
    }

    /// Adds an integer: an odd one on the left, an even one on the right.
    pub(crate) fn push(&mut self, value: i32) -> Result<(), Full> {
        if self.len == self.slots.len() {
            return Err(Full);
        }
        // `value % 2 == 1` would be false for -3, whose remainder is -1.
        let at = if value & 1 == 1 {
            self.first = self.slot(self.slots.len() - 1);
            self.first
        } else {
            self.slot(self.len)
        };
        *self.slots.get_mut(at).ok_or(Full)? = value;
        self.len += 1;
        Ok(())
    }

    /// Passes the leftmost integer to `f`, and removes it if that succeeds.
    ///
    /// Returns `None` if there is no integer.
    pub(crate) fn pop<T, E>(
        &mut self,
        f: impl FnOnce(i32) -> Result<T, E>,
    ) -> Option<Result<T, E>> {
        let rest = self.len.checked_sub(1)?;
        let value = *self.slots.get(self.first)?;
        let taken = f(value);
        if taken.is_ok() {
            self.first = self.slot(1);
            self.len = rest;
        }
        Some(taken)
    }

    /// Returns the slot that is `n` to the right of the first; `n` is at most the number of slots.
    fn slot(&self, n: usize) -> usize {
        let at = self.first + n;
        at.checked_sub(self.slots.len()).unwrap_or(at)
    }
}
