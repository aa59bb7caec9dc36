// SPDX-License-Identifier: MIT OR Apache-2.0

//! Messages that lie in memory which host and guest share. The line is slow: it
//! only says where.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Bytes of the whole memory.
pub const SHARED_BYTES: usize = 64 << 20;

/// One direction's part of the memory: a ring, and the place where its reader
/// says how much it has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    start: usize,
    length: usize,
    taken_at: usize,
}

/// From the host to the guest.
pub const TO_GUEST: Area = Area {
    start: 4096,
    length: 3 * SHARED_BYTES / 4 - 4096,
    taken_at: 0,
};

/// From the guest to the host.
pub const TO_HOST: Area = Area {
    start: 3 * SHARED_BYTES / 4,
    length: SHARED_BYTES / 4,
    taken_at: 64,
};

/// Where the place of a script is told: its piece's end and length, eight bytes each,
/// in little endian.
pub const SCRIPT_AT: usize = 128;

/// Some bytes in an area. The ends count on for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Where in the ring's whole stream it ends.
    pub end: u64,
    /// Its bytes.
    pub length: u32,
}

impl Area {
    /// Where the reader's [`Piece::end`] lies, as eight bytes in little endian.
    pub fn taken_at(&self) -> usize {
        self.taken_at
    }

    /// The most that one piece can hold.
    pub fn longest(&self) -> usize {
        self.length
    }

    /// Where a piece lies in the memory; none for one that cannot be.
    pub fn range(&self, piece: Piece) -> Option<Range<usize>> {
        let length = piece.length as usize;
        let begin = piece.end.checked_sub(piece.length.into())?;
        let at = (begin % self.length as u64) as usize;
        (at + length <= self.length).then(|| self.start + at..self.start + at + length)
    }
}

/// Finds places for an area's writer.
#[derive(Debug)]
pub struct Placer {
    area: Area,
    head: u64,
}

impl Placer {
    /// For an area that nothing was written to.
    pub fn new(area: Area) -> Self {
        Placer { area, head: 0 }
    }

    /// The area.
    pub fn area(&self) -> Area {
        self.area
    }

    /// A place for so many bytes, when the reader has taken all up to `taken`;
    /// none when there is no room yet.
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
        // A piece is never split: what is left at the end of the ring stays empty.
        let left = size - self.head % size;
        let begin = match wanted <= left {
            true => self.head,
            false => self.head + left,
        };
        let end = begin + wanted;
        // A reader that is ahead of its writer is not to be believed.
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
        // Every pair of lengths, with a reader that is up to three pieces late.
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
