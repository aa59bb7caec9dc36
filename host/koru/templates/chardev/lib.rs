//! /dev/@NAME@: a small file, kept by a module instead of a disk.
//!
//! Reading and writing go on where the last one stopped, and `lseek` moves that
//! place. Everybody who opens the device sees the same bytes, each at a position
//! of their own.

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

/// How many bytes the device can hold.
const CAPACITY: usize = 4096;

/// The module is its device: loaded, it is there; unloaded, it is gone. While
/// somebody has it open, the module cannot be unloaded.
#[pin_data]
struct @TYPE@ {
    #[pin]
    device: MiscDeviceRegistration<Device>,
}

impl InPlaceModule for @TYPE@ {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = MiscDeviceOptions { name: c"@NAME@" };
        // `?` in an initialiser ends it with the error, and so the load.
        try_pin_init!(Self {
            device <- MiscDeviceRegistration::register_with(
                options,
                Arc::pin_init(new_mutex!(Bytes::new()?), GFP_KERNEL)?,
            ),
        })
    }
}

/// What the device holds: `CAPACITY` bytes, of which the first `length` are used.
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

/// What the device does.
struct Device;

/// What all who open it share. Several processes may read and write at once, so
/// the bytes are behind a lock.
impl MiscDeviceData for Device {
    type Data = Mutex<Bytes>;
}

// Only the calls that are here exist: without `write_iter`, say, a process that
// writes gets EINVAL.
#[vtable]
impl MiscDevice for Device {
    /// What belongs to one open file: here, one more reference to what all share.
    /// It is given up when the file is closed.
    type Ptr = Arc<Mutex<Bytes>>;

    // The node's mode is 0600, so only root may open it. For everybody:
    // const MODE: kernel::fs::Mode = kernel::fs::Mode::new::<0o666>();

    /// A process opens the device.
    fn open(_file: &File, device: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr> {
        device.data()
    }

    /// A process reads. `iov` is its buffer, which may be at a bad address: the
    /// copying finds that out.
    fn read_iter(mut kiocb: Kiocb<'_, Self::Ptr>, iov: &mut IovIterDest<'_>) -> Result<usize> {
        let shared = kiocb.file();
        // Touching a process's memory may sleep, so a spin lock would be wrong.
        let bytes = shared.lock();
        // From the position on, as much as there is and as fits; 0 is the end.
        iov.simple_read_from_buffer(kiocb.ki_pos_mut(), &bytes.all[..bytes.length])
    }

    /// A process writes. Taking less than it has is allowed: it then calls again
    /// with the rest.
    fn write_iter(mut kiocb: Kiocb<'_, Self::Ptr>, iov: &mut IovIterSource<'_>) -> Result<usize> {
        let start = usize::try_from(kiocb.ki_pos())?;
        if start >= CAPACITY {
            return Err(ENOSPC);
        }
        let length = iov.len().min(CAPACITY - start);
        // Into a buffer of our own first: a bad address changes nothing.
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

    /// A process moves its position, which may be anywhere in the device's room.
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
