// SPDX-License-Identifier: GPL-2.0-only

//! `/dev/circbuf`: a ring of bytes for `read`, `write` and `lseek`.

#![no_std]
#![forbid(unsafe_code)]

mod ring;
mod wrap;

use kernel::fs::{file::Offset, File, Kiocb, Whence};
use kernel::iov::{IovIterDest, IovIterSource};
use kernel::miscdevice::{MiscDevice, MiscDeviceData, MiscDeviceOptions, MiscDeviceRegistration};
use kernel::prelude::*;
use kernel::sync::{Arc, ArcBorrow};
use kernel::task::cond_resched;
use kernel::InPlaceModule;
use ring::Ring;

module! {
    type: CircBuf,
    name: "circbuf",
    author: "The Koru authors",
    description: "/dev/circbuf: a ring of bytes",
    license: "GPL",
    version: "1.0",
    params: {
        size: u64 { default: 4096, perm: 0o444, description: "The ring's size in bytes: 1 to 1048576" },
    },
}

/// The size of the largest ring, 1 MiB.
const MAX_RING_SIZE: u64 = 1 << 20;

/// The module's value is its device, which exists while the module is loaded.
#[pin_data]
struct CircBuf {
    #[pin]
    device: MiscDeviceRegistration<Device>,
}

impl InPlaceModule for CircBuf {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = MiscDeviceOptions { name: c"circbuf" };
        try_pin_init!(Self {
            device <- MiscDeviceRegistration::register_with(options, ring()?),
        })
    }
}

/// Creates the ring that the parameter describes.
fn ring() -> Result<Arc<Ring>> {
    let size = *module_parameters::size.value();
    if !(1..=MAX_RING_SIZE).contains(&size) {
        pr_err!("size is 1 to {MAX_RING_SIZE}, not {size}\n");
        return Err(EINVAL);
    }
    Arc::pin_init(Ring::new(usize::try_from(size)?), GFP_KERNEL)
}

struct Device;

impl MiscDeviceData for Device {
    type Data = Ring;
}

/// Returns the index of the ring that is `at` bytes from its start.
fn wrapped(ring: &Ring, at: usize) -> usize {
    // The ring is never empty.
    at.checked_rem(ring.size()).unwrap_or(0)
}

/// Converts a position to an index of the ring.
fn ring_index(ring: &Ring, pos: Offset) -> Result<usize> {
    Ok(wrapped(ring, usize::try_from(pos)?))
}

/// The smallest buffer for a long write, so that its bytes are not fetched one by one if the ring
/// is small.
const PAGE: usize = 4096;

#[vtable]
impl MiscDevice for Device {
    type Ptr = Arc<Ring>;

    fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<Arc<Ring>> {
        misc.data()
    }

    /// Reads at most once around the ring.
    fn read_iter(mut kiocb: Kiocb<'_, Arc<Ring>>, to: &mut IovIterDest<'_>) -> Result<usize> {
        let ring = kiocb.file();
        let start = ring_index(&ring, kiocb.ki_pos())?;
        let len = to.len().min(ring.size());
        if len == 0 {
            return Ok(0);
        }
        // The ring must not be locked while a process waits for its memory. So only memory that is
        // there is written from the ring itself, and other memory from a copy of the bytes.
        let at_once = ring.read(start, len, |parts| to.copy_slices_to_iter_nofault(&parts));
        if at_once.is_err() {
            let mut bytes = KVVec::with_capacity(len, GFP_KERNEL_ACCOUNT)?;
            ring.read(start, len, |[head, tail]| {
                bytes.extend_from_slice(head, GFP_KERNEL_ACCOUNT)?;
                bytes.extend_from_slice(tail, GFP_KERNEL_ACCOUNT)
            })?;
            to.copy_to_iter_full(&bytes)?;
        }
        *kiocb.ki_pos_mut() = wrapped(&ring, start + len) as Offset;
        Ok(len)
    }

    /// Writes around the ring as often as there are bytes for, or until a signal arrives.
    ///
    /// Then, as with any file, the bytes taken so far are written, and the result is their number.
    fn write_iter(mut kiocb: Kiocb<'_, Arc<Ring>>, from: &mut IovIterSource<'_>) -> Result<usize> {
        let ring = kiocb.file();
        let start = ring_index(&ring, kiocb.ki_pos())?;
        let len = from.len();
        if len == 0 {
            return Ok(0);
        }
        // The data is copied through a buffer, because the ring must not be locked while a process's
        // memory is read, which may take long and may fail.
        if len <= ring.size() {
            let mut bytes = KVVec::new();
            if from.copy_from_iter_vec(&mut bytes, GFP_KERNEL_ACCOUNT)? < len {
                return Err(EFAULT);
            }
            ring.write(start, &bytes);
            *kiocb.ki_pos_mut() = wrapped(&ring, start + len) as Offset;
            return Ok(len);
        }
        // Only the last round stays. Bytes that will be overwritten are fetched all the same: a bad
        // address anywhere fails the write, which then changes nothing.
        let mut bytes = KVVec::from_elem(0, ring.size().max(PAGE).min(len), GFP_KERNEL_ACCOUNT)?;
        let mut taken = 0;
        while taken < len {
            let part = bytes.len().min(len - taken);
            from.copy_from_iter_full(bytes.get_mut(..part).ok_or(EINVAL)?)?;
            // This puts the oldest byte first.
            bytes.rotate_left(part);
            taken += part;
            if current!().signal_pending() {
                break;
            }
            cond_resched();
        }
        let stays = taken.min(ring.size());
        let last = bytes.get(bytes.len() - stays..).ok_or(EINVAL)?;
        ring.write(wrapped(&ring, start + (taken - stays)), last);
        *kiocb.ki_pos_mut() = wrapped(&ring, start + taken) as Offset;
        Ok(taken)
    }

    fn lseek(
        ring: ArcBorrow<'_, Ring>,
        file: &File,
        offset: Offset,
        whence: Whence,
    ) -> Result<Offset> {
        let end = ring.size() as Offset;
        let to = whence.resolve(offset, file.pos(), end).or(Err(EINVAL))?;
        if to > end {
            return Err(EINVAL);
        }
        Ok(to)
    }
}
