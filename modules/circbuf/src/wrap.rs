// SPDX-License-Identifier: GPL-2.0-only

//! Going around a ring of bytes. Nothing here knows the kernel, so that tests can
//! try it anywhere. A start, and a length, are no more than the ring's size.

/// Fills `out` from `start` on.
pub(crate) fn get(ring: &[u8], start: usize, out: &mut [u8]) {
    // As many as there are up to the end; the others from the beginning.
    let end = ring.get(start..).unwrap_or_default();
    let (head, tail) = out.split_at_mut(out.len().min(end.len()));
    copy(head, end);
    copy(tail, ring);
}

/// Overwrites the ring with `new` from `start` on.
pub(crate) fn put(ring: &mut [u8], start: usize, new: &[u8]) {
    let end = ring.get_mut(start..).unwrap_or_default();
    let (head, tail) = new.split_at(new.len().min(end.len()));
    copy(end, head);
    copy(ring, tail);
}

/// Copies as much as there is on both sides.
fn copy(to: &mut [u8], from: &[u8]) {
    let len = to.len().min(from.len());
    if let (Some(to), Some(from)) = (to.get_mut(..len), from.get(..len)) {
        to.copy_from_slice(from);
    }
}
