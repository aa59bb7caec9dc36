// SPDX-License-Identifier: MIT OR Apache-2.0

//! The layout of the memory that host and guest share for messages. The line is slow, so it
//! only says where in the memory a message is.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The size of the whole memory, in bytes.
pub const SHARED_BYTES: usize = 64 << 20;

/// The part of the memory for one direction: a ring, and the place where its reader stores how
/// much it has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    start: usize,
    length: usize,
    taken_at: usize,
}

/// The area for messages from the host to the guest.
pub const TO_GUEST: Area = Area {
    start: 4096,
    length: 3 * SHARED_BYTES / 4 - 4096,
    taken_at: 0,
};

/// The area for messages from the guest to the host.
pub const TO_HOST: Area = Area {
    start: 3 * SHARED_BYTES / 4,
    length: SHARED_BYTES / 4,
    taken_at: 64,
};

/// The place that says where a script is: the end and the length of its piece, eight bytes
/// each, in little endian.
pub const SCRIPT_AT: usize = 128;

/// Some bytes in an area. Positions are counted from the beginning of the stream and never
/// wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The position of the piece's end in the ring's whole stream.
    pub end: u64,
    /// The number of bytes.
    pub length: u32,
}

impl Area {
    /// Returns the place of the reader's [`Piece::end`], eight bytes in little endian.
    pub fn taken_at(&self) -> usize {
        self.taken_at
    }

    /// Returns the largest number of bytes that one piece can have.
    pub fn longest(&self) -> usize {
        self.length
    }

    /// Returns where a piece is in the memory, or `None` for a piece that cannot exist.
    pub fn range(&self, piece: Piece) -> Option<Range<usize>> {
        let length = piece.length as usize;
        let begin = piece.end.checked_sub(piece.length.into())?;
        let at = (begin % self.length as u64) as usize;
        (at + length <= self.length).then(|| self.start + at..self.start + at + length)
    }
}

/// An allocator that finds space in an area, for the area's writer.
#[derive(Debug)]
pub struct Placer {
    area: Area,
    head: u64,
}

impl Placer {
    /// Creates an allocator for an area to which nothing was written.
    pub fn new(area: Area) -> Self {
        Placer { area, head: 0 }
    }

    /// Returns the area.
    pub fn area(&self) -> Area {
        self.area
    }

    /// Allocates space for `length` bytes, given that the reader has taken everything up to
    /// `taken`. Returns `None` when there is not enough space yet.
    ///
    /// ```
    /// use koru_protocol::{Placer, TO_HOST};
    /// let mut placer = Placer::new(TO_HOST);
    /// let piece = placer.place(1000, 0).unwrap();
    /// assert_eq!(TO_HOST.range(piece).unwrap().len(), 1000);
    /// assert!(placer.place(TO_HOST.longest(), 0).is_none());
    /// assert!(placer.place(TO_HOST.longest(), piece.end).is_some());
    /// ```
    pub fn place(&mut self, length: usize, taken: u64) -> Option<Piece> {
        let size = self.area.length as u64;
        let wanted = length as u64;
        // A piece is never split: the rest at the end of the ring stays empty.
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
        Some(Piece {
            end,
            length: u32::try_from(length).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Area = Area {
        start: 100,
        length: 64,
        taken_at: 0,
    };

    #[test]
    fn unread_slices_are_not_overwritten() {
        // This tries every pair of lengths, with a reader that is up to three pieces late.
        for (step, late) in (1..=64).flat_map(|step| (0..4).map(move |late| (step, late))) {
            let mut placer = Placer::new(SMALL);
            let mut open: Vec<Piece> = Vec::new();
            let mut taken = 0;
            for round in 0..200 {
                let length = 1 + (round * step) % 40;
                while open.len() > late {
                    taken = open.remove(0).end;
                }
                let Some(piece) = placer.place(length, taken) else {
                    assert!(!open.is_empty(), "an empty ring has room");
                    taken = open.remove(0).end;
                    continue;
                };
                let range = SMALL.range(piece).unwrap();
                assert!(range.start >= 100 && range.end <= 164 && range.len() == length);
                for other in &open {
                    let other = SMALL.range(*other).unwrap();
                    assert!(range.end <= other.start || other.end <= range.start);
                }
                open.push(piece);
            }
        }
    }

    #[test]
    fn malicious_offsets_are_rejected() {
        let piece = |end, length| SMALL.range(Piece { end, length });
        assert_eq!(piece(10, 10), Some(100..110));
        assert_eq!(piece(9, 10), None);
        assert_eq!(piece(70, 10), None, "over the end");
        assert_eq!(piece(u64::MAX, u32::MAX), None);
        let mut placer = Placer::new(SMALL);
        assert!(placer.place(10, 1000).is_none(), "taken before it was put");
        assert!(placer.place(65, 0).is_none());
        assert!(placer.place(64, 0).is_some());
    }
}
