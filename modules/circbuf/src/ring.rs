// SPDX-License-Identifier: GPL-2.0-only

//! The ring of bytes.

use crate::wrap;
use kernel::new_mutex;
use kernel::prelude::*;
use kernel::sync::Mutex;

/// A ring that all openers share.
///
/// Each call is atomic: nobody sees half of another one.
#[pin_data]
pub(crate) struct Ring {
    size: usize,
    #[pin]
    bytes: Mutex<KVVec<u8>>,
}

impl Ring {
    /// Returns an initialiser of a ring in which byte i is i mod 256.
    ///
    /// `size` must not be 0.
    pub(crate) fn new(size: usize) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            bytes <- new_mutex!(generated(size)?),
            size,
        })
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Passes `len` bytes from `start` on to `f`, in two parts, while the ring is locked.
    ///
    /// Neither may be larger than the ring.
    pub(crate) fn read<R>(&self, start: usize, len: usize, f: impl FnOnce([&[u8]; 2]) -> R) -> R {
        f(wrap::parts(&self.bytes.lock(), start, len))
    }

    /// Overwrites the ring with `new` from `start` on.
    ///
    /// Neither may be larger than the ring.
    pub(crate) fn write(&self, start: usize, new: &[u8]) {
        wrap::write(&mut self.bytes.lock(), start, new);
    }
}

fn generated(size: usize) -> Result<KVVec<u8>> {
    let round: [u8; 256] = core::array::from_fn(|i| i as u8);
    let mut bytes = KVVec::with_capacity(size, GFP_KERNEL)?;
    while bytes.len() < size {
        let part = round.get(..size - bytes.len()).unwrap_or(&round);
        bytes.extend_from_slice(part, GFP_KERNEL)?;
    }
    Ok(bytes)
}
