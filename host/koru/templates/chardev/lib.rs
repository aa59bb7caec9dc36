//! /dev/@NAME@: a small file that a module keeps in memory.
//!
//! Each read or write continues where the last one stopped, and `lseek` moves
//! that position. All processes that open the device see the same bytes, each at
//! a position of its own.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    fs::{file::Offset, File, Kiocb, Whence},
    iov::{IovIterDest, IovIterSource},
    miscdevice::{MiscDevice, MiscDeviceData, MiscDeviceOptions, MiscDeviceRegistration},
    new_mutex,
    prelude::*,
    sync::{Arc, ArcBorrow, Mutex},
    InPlaceModule,
};

module! {
    type: @TYPE@,
    name: "@NAME@",
    authors: ["You"],
    description: "A character device that can be read, written and sought in",
    license: "GPL",
}

/// The number of bytes that the device can hold.
const CAPACITY: usize = 4096;

/// The module owns its device: the device exists while the module is loaded. The
/// module cannot be unloaded while a process has the device open.
#[pin_data]
struct @TYPE@ {
    #[pin]
    device: MiscDeviceRegistration<Device>,
}

impl InPlaceModule for @TYPE@ {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = MiscDeviceOptions { name: c"@NAME@" };
        // An error at `?` ends the initialiser, and so the load, with that error.
        try_pin_init!(Self {
            device <- MiscDeviceRegistration::register_with(
                options,
                Arc::pin_init(new_mutex!(Bytes::new()?), GFP_KERNEL)?,
            ),
        })
    }
}

/// The content of the device: `CAPACITY` bytes, of which the first `length` are used.
struct Bytes {
    all: KVec<u8>,
    length: usize,
}

impl Bytes {
    fn new() -> Result<Self> {
        let hello = b"Hello from @NAME@\n";
        let mut all = KVec::from_elem(0, CAPACITY, GFP_KERNEL)?;
        all[..hello.len()].copy_from_slice(hello);
        Ok(Bytes {
            all,
            length: hello.len(),
        })
    }
}

/// The operations of the device.
struct Device;

/// The data that all openers share. Several processes may read and write at once,
/// so the bytes are behind a lock.
impl MiscDeviceData for Device {
    type Data = Mutex<Bytes>;
}

// Only the operations that are defined here exist: without `write_iter`, for
// example, a write fails with EINVAL.
#[vtable]
impl MiscDevice for Device {
    /// The data of one open file: here, a reference to the shared data. It is
    /// dropped when the file is closed.
    type Ptr = Arc<Mutex<Bytes>>;

    // The mode of the device node is 0600, so only root may open it. This line
    // lets everybody open it:
    // const MODE: kernel::fs::Mode = kernel::fs::Mode::new::<0o666>();

    /// Called when a process opens the device.
    fn open(_file: &File, device: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr> {
        device.data()
    }

    /// Called when a process reads. `iov` is its buffer. The address may be bad;
    /// copying to it fails then.
    fn read_iter(mut kiocb: Kiocb<'_, Self::Ptr>, iov: &mut IovIterDest<'_>) -> Result<usize> {
        let shared = kiocb.file();
        // Copying to a process's memory may sleep, so a spin lock would be wrong.
        let bytes = shared.lock();
        // This copies from the position on, as much as fits. 0 bytes mean the end.
        iov.simple_read_from_buffer(kiocb.ki_pos_mut(), &bytes.all[..bytes.length])
    }

    /// Called when a process writes. A write may take less than all bytes; the
    /// process then calls again with the rest.
    fn write_iter(mut kiocb: Kiocb<'_, Self::Ptr>, iov: &mut IovIterSource<'_>) -> Result<usize> {
        let start = usize::try_from(kiocb.ki_pos())?;
        if start >= CAPACITY {
            return Err(ENOSPC);
        }
        let length = iov.len().min(CAPACITY - start);
        // The bytes are copied to a buffer first, so that a bad address changes nothing.
        let mut new = KVec::from_elem(0, length, GFP_KERNEL)?;
        iov.copy_from_iter_full(&mut new)?;
        let end = start + length;
        let shared = kiocb.file();
        let mut bytes = shared.lock();
        bytes.all[start..end].copy_from_slice(&new);
        bytes.length = bytes.length.max(end);
        *kiocb.ki_pos_mut() = end as Offset;
        Ok(length)
    }

    /// Called when a process moves its position, which may be anywhere up to
    /// `CAPACITY`.
    fn lseek(
        shared: ArcBorrow<'_, Mutex<Bytes>>,
        file: &File,
        offset: Offset,
        whence: Whence,
    ) -> Result<Offset> {
        let end = shared.lock().length as Offset;
        match whence.resolve(offset, file.pos(), end)? {
            at if at <= CAPACITY as Offset => Ok(at),
            _ => Err(EINVAL),
        }
    }
}
