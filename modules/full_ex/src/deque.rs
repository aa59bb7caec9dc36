// SPDX-License-Identifier: GPL-2.0-only

//! The integers of one open file. Nothing here knows the kernel, so that tests
//! can try it anywhere.

use core::ops::DerefMut;

/// A deque that holds as many integers as its storage has slots.
///
/// They lie in a ring: from slot `first` on, and behind the last slot comes the
/// first one again. So both ends move without moving what is between.
pub(crate) struct Deque<S> {
    slots: S,
    first: usize,
    len: usize,
}

/// There is no slot left.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl<S: DerefMut<Target = [i32]>> Deque<S> {
    /// An empty one.
    pub(crate) fn new(slots: S) -> Self {
        Self {
            slots,
            first: 0,
            len: 0,
        }
    }

    /// Takes an integer in: an odd one on the left, an even one on the right.
    pub(crate) fn push(&mut self, value: i32) -> Result<(), Full> {
        if self.len == self.slots.len() {
            return Err(Full);
        }
        // Not `value % 2 == 1`: that is false for -3, whose remainder is -1.
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

    /// The leftmost integer, which stays.
    pub(crate) fn leftmost(&self) -> Option<i32> {
        if self.len == 0 {
            return None;
        }
        self.slots.get(self.first).copied()
    }

    /// Takes the leftmost integer out.
    pub(crate) fn pop(&mut self) -> Option<i32> {
        let value = self.leftmost()?;
        self.first = self.slot(1);
        self.len -= 1;
        Some(value)
    }

    /// The slot that is `n` to the right of the first; `n` is at most their number.
    fn slot(&self, n: usize) -> usize {
        let at = self.first + n;
        at.checked_sub(self.slots.len()).unwrap_or(at)
    }
}
