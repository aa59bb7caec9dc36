// SPDX-License-Identifier: GPL-2.0-only

//! The ring of bytes.

use kernel::new_mutex;
use kernel::prelude::*;
use kernel::sync::Mutex;

/// A ring that all openers share. Each call sees it whole: nobody is amid a change.
#[pin_data]
pub(crate) struct Ring {
    size: usize,
    #[pin]
    bytes: Mutex<KVVec<u8>>,
}

impl Ring {
    /// A ring in which byte i is i mod 256. `size` is not 0.
    pub(crate) fn new(size: usize) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            size,
            bytes <- new_mutex!(generated(size)?),
        })
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Fills `out` from `start` on. Neither is more than the ring's size.
    pub(crate) fn get(&self, start: usize, out: &mut [u8]) {
        let bytes = self.bytes.lock();
        // As many as there are up to the end; the others from the beginning.
        let end = bytes.get(start..).unwrap_or_default();
        let (head, tail) = out.split_at_mut(out.len().min(end.len()));
        copy(head, end);
        copy(tail, &bytes);
    }

    /// Overwrites the ring with `new` from `start` on. Neither is more than the
    /// ring's size.
    pub(crate) fn put(&self, start: usize, new: &[u8]) {
        let mut bytes = self.bytes.lock();
        let end = bytes.get_mut(start..).unwrap_or_default();
        let (head, tail) = new.split_at(new.len().min(end.len()));
        copy(end, head);
        copy(&mut bytes, tail);
    }
}

/// Copies as much as there is on both sides.
fn copy(to: &mut [u8], from: &[u8]) {
    let len = to.len().min(from.len());
    if let (Some(to), Some(from)) = (to.get_mut(..len), from.get(..len)) {
        to.copy_from_slice(from);
    }
}

fn generated(size: usize) -> Result<KVVec<u8>> {
    let mut bytes = KVVec::with_capacity(size, GFP_KERNEL)?;
    for byte in (0..=u8::MAX).cycle().take(size) {
        bytes.push(byte, GFP_KERNEL)?;
    }
    Ok(bytes)
}
