// SPDX-License-Identifier: GPL-2.0-only

//! `/dev/circbuf`: a ring of bytes, to be read, written and seeked in.

#![no_std]
#![forbid(unsafe_code)]

mod ring;
mod wrap;

use kernel::fs::{file::Offset, File, Kiocb, Whence};
use kernel::iov::{IovIterDest, IovIterSource};
use kernel::miscdevice::{MiscDevice, MiscDeviceData, MiscDeviceOptions, MiscDeviceRegistration};
use kernel::prelude::*;
use kernel::sync::{Arc, ArcBorrow};
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

/// The largest ring, 1 MiB.
const LARGEST: u64 = 1 << 20;

/// The module is its device: loaded, it is there; unloaded, it is gone.
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

/// The ring that the parameter asks for.
fn ring() -> Result<Arc<Ring>> {
    let size = *module_parameters::size.value();
    if !(1..=LARGEST).contains(&size) {
        pr_err!("size is 1 to {LARGEST}, not {size}\n");
        return Err(EINVAL);
    }
    Arc::pin_init(Ring::new(usize::try_from(size)?), GFP_KERNEL)
}

struct Device;

impl MiscDeviceData for Device {
    type Data = Ring;
}

/// Where in the ring a position is.
fn place(ring: &Ring, pos: Offset) -> Result<usize> {
    Ok(usize::try_from(pos)? % ring.size())
}

/// A buffer of zeros. The ring is not locked while a process's memory is read or
/// written, which may take long: what goes there, or comes from there, is copied.
fn scratch(len: usize) -> Result<KVVec<u8>> {
    Ok(KVVec::from_elem(0, len, GFP_KERNEL)?)
}

#[vtable]
impl MiscDevice for Device {
    type Ptr = Arc<Ring>;

    fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<Arc<Ring>> {
        misc.data()
    }

    /// Once around at most.
    fn read_iter(mut kiocb: Kiocb<'_, Arc<Ring>>, to: &mut IovIterDest<'_>) -> Result<usize> {
        let ring = kiocb.file();
        let start = place(&ring, kiocb.ki_pos())?;
        let len = to.len().min(ring.size());
        if len == 0 {
            return Ok(0);
        }
        let mut bytes = scratch(len)?;
        ring.get(start, &mut bytes);
        to.copy_to_iter_full(&bytes)?;
        *kiocb.ki_pos_mut() = ((start + len) % ring.size()) as Offset;
        Ok(len)
    }

    /// Around as often as there are bytes for.
    fn write_iter(mut kiocb: Kiocb<'_, Arc<Ring>>, from: &mut IovIterSource<'_>) -> Result<usize> {
        let ring = kiocb.file();
        let start = place(&ring, kiocb.ki_pos())?;
        let len = from.len();
        if len == 0 {
            return Ok(0);
        }
        // Only the last round stays. What is overwritten at once is fetched all the
        // same: a bad address anywhere fails the write, which then changes nothing.
        let stays = len.min(ring.size());
        let mut gone = len - stays;
        let mut bytes = scratch(stays.max(gone.min(PAGE)))?;
        while gone > 0 {
            let part = gone.min(bytes.len());
            from.copy_from_iter_full(bytes.get_mut(..part).ok_or(EINVAL)?)?;
            gone -= part;
        }
        bytes.truncate(stays);
        from.copy_from_iter_full(&mut bytes)?;
        ring.put((start + (len - stays)) % ring.size(), &bytes);
        *kiocb.ki_pos_mut() = ((start + len) % ring.size()) as Offset;
        Ok(len)
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

/// So that the bytes of a long write into a small ring are not fetched one by one.
const PAGE: usize = 4096;
