// SPDX-License-Identifier: GPL-2.0-only

//! The ring of bytes.

use crate::wrap;
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
            bytes <- new_mutex!(generated(size)?),
            size,
        })
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Fills `out` from `start` on. Neither is more than the ring's size.
    pub(crate) fn get(&self, start: usize, out: &mut [u8]) {
        wrap::get(&self.bytes.lock(), start, out);
    }

    /// Overwrites the ring with `new` from `start` on. Neither is more than the
    /// ring's size.
    pub(crate) fn put(&self, start: usize, new: &[u8]) {
        wrap::put(&mut self.bytes.lock(), start, new);
    }
}

fn generated(size: usize) -> Result<KVVec<u8>> {
    let mut bytes = KVVec::with_capacity(size, GFP_KERNEL)?;
    for byte in (0..=u8::MAX).cycle().take(size) {
        bytes.push(byte, GFP_KERNEL)?;
    }
    Ok(bytes)
}
