// SPDX-License-Identifier: MIT OR Apache-2.0

//! The layout of the memory that host and guest share for messages. The line is slow, so it
//! only says where in the memory a message is.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The size of the whole memory, in bytes.
pub const SHARED_BYTES: usize = 64 << 20;

/// The part of the memory for the messages in one direction: a ring buffer, and the place where
/// its reader stores how much it has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ring {
    start: usize,
    length: usize,
    taken_at: usize,
}

/// The ring for messages from the host to the guest.
pub const TO_GUEST: Ring = Ring {
    start: 4096,
    length: 3 * SHARED_BYTES / 4 - 4096,
    taken_at: 0,
};

/// The ring for messages from the guest to the host.
pub const TO_HOST: Ring = Ring {
    start: 3 * SHARED_BYTES / 4,
    length: SHARED_BYTES / 4,
    taken_at: 64,
};

/// The place that says where a script is: the end and the length of its slice, eight bytes
/// each, in little endian.
pub const SCRIPT_AT: usize = 128;

/// A range of bytes in a ring. Positions are counted from the beginning of the stream and never
/// wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingSlice {
    /// The position of the slice's end in the ring's whole stream.
    pub end: u64,
    /// The number of bytes.
    pub length: u32,
}

impl Ring {
    /// Returns the place of the reader's [`RingSlice::end`], eight bytes in little endian.
    pub fn taken_at(&self) -> usize {
        self.taken_at
    }

    /// Returns the largest number of bytes that one slice can have.
    pub fn longest(&self) -> usize {
        self.length
    }

    /// Returns where a slice is in the memory, or `None` for a slice that cannot exist.
    pub fn range(&self, slice: RingSlice) -> Option<Range<usize>> {
        let length = slice.length as usize;
        let begin = slice.end.checked_sub(slice.length.into())?;
        let at = (begin % self.length as u64) as usize;
        (at + length <= self.length).then(|| self.start + at..self.start + at + length)
    }
}

/// An allocator that finds space in a ring, for the ring's writer.
#[derive(Debug)]
pub struct RingAllocator {
    ring: Ring,
    head: u64,
}

impl RingAllocator {
    /// Creates an allocator for a ring to which nothing was written.
    pub fn new(ring: Ring) -> Self {
        RingAllocator { ring, head: 0 }
    }

    /// Returns the ring in which the allocator finds space.
    pub fn ring(&self) -> Ring {
        self.ring
    }

    /// Allocates space for `length` bytes, given that the reader has taken everything up to
    /// `taken`. Returns `None` when there is not enough space yet.
    ///
    /// ```
    /// use koru_protocol::{RingAllocator, TO_HOST};
    /// let mut allocator = RingAllocator::new(TO_HOST);
    /// let slice = allocator.allocate(1000, 0).unwrap();
    /// assert_eq!(TO_HOST.range(slice).unwrap().len(), 1000);
    /// assert!(allocator.allocate(TO_HOST.longest(), 0).is_none());
    /// assert!(allocator.allocate(TO_HOST.longest(), slice.end).is_some());
    /// ```
    pub fn allocate(&mut self, length: usize, taken: u64) -> Option<RingSlice> {
        let size = self.ring.length as u64;
        let wanted = length as u64;
        // A slice is never split: the rest at the end of the ring stays empty.
        let left = size - self.head % size;
        let begin = match wanted <= left {
            true => self.head,
            false => self.head + left,
        };
        let end = begin + wanted;
        // A reader that is ahead of its writer cannot be believed.
        let ahead = self.head.checked_sub(taken)?;
        if wanted > size || (ahead > 0 && end - taken > size) {
            return None;
        }
        self.head = end;
        Some(RingSlice {
            end,
            length: u32::try_from(length).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Ring = Ring {
        start: 100,
        length: 64,
        taken_at: 0,
    };

    #[test]
    fn unread_slices_are_not_overwritten() {
        // This tries every pair of lengths, with a reader that is up to three slices late.
        for (step, late) in (1..=64).flat_map(|step| (0..4).map(move |late| (step, late))) {
            let mut allocator = RingAllocator::new(SMALL);
            let mut open: Vec<RingSlice> = Vec::new();
            let mut taken = 0;
            for round in 0..200 {
                let length = 1 + (round * step) % 40;
                while open.len() > late {
                    taken = open.remove(0).end;
                }
                let Some(slice) = allocator.allocate(length, taken) else {
                    assert!(!open.is_empty(), "an empty ring has room");
                    taken = open.remove(0).end;
                    continue;
                };
                let range = SMALL.range(slice).unwrap();
                assert!(range.start >= 100 && range.end <= 164 && range.len() == length);
                for other in &open {
                    let other = SMALL.range(*other).unwrap();
                    assert!(range.end <= other.start || other.end <= range.start);
                }
                open.push(slice);
            }
        }
    }

    #[test]
    fn malicious_offsets_are_rejected() {
        let slice = |end, length| SMALL.range(RingSlice { end, length });
        assert_eq!(slice(10, 10), Some(100..110));
        assert_eq!(slice(9, 10), None);
        assert_eq!(slice(70, 10), None, "over the end");
        assert_eq!(slice(u64::MAX, u32::MAX), None);
        let mut allocator = RingAllocator::new(SMALL);
        assert!(
            allocator.allocate(10, 1000).is_none(),
            "taken before it was put"
        );
        assert!(allocator.allocate(65, 0).is_none());
        assert!(allocator.allocate(64, 0).is_some());
    }
}
