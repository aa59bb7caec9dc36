// SPDX-License-Identifier: GPL-2.0-only

//! A device with bytes of its own for each open file.

use crate::plain::Plain;
use kernel::{
    fs::{file::Offset, File, Kiocb, Whence},
    ioctl::{_IO, _IOR, _IOW, _IOWR},
    iov::{IovIterDest, IovIterSource},
    miscdevice::{MiscDevice, MiscDeviceData, MiscDeviceRegistration},
    new_mutex,
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    sync::{Arc, Mutex},
    uaccess::UserSlice,
};

/// The command that removes the plain device.
const GONE: u32 = _IO('k' as u32, 0);
/// The command that returns the number of bytes.
const LENGTH: u32 = _IOR::<u64>('k' as u32, 1);
/// The command that truncates the bytes.
const CUT: u32 = _IOW::<u64>('k' as u32, 2);
/// The command that returns a number doubled.
const TWICE: u32 = _IOWR::<u32>('k' as u32, 3);

const MAX_CONTENT_LEN: usize = 64 * 1024;

#[pin_data]
pub(crate) struct Shared {
    #[pin]
    pub(crate) plain: Mutex<Option<Pin<KBox<MiscDeviceRegistration<Plain>>>>>,
}

#[pin_data]
pub(crate) struct Memory {
    #[pin]
    bytes: Mutex<KVec<u8>>,
    shared: Arc<Shared>,
}

impl MiscDeviceData for Memory {
    type Data = Shared;
}

#[vtable]
impl MiscDevice for Memory {
    type Ptr = Pin<KBox<Memory>>;

    fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr> {
        dev_info!(misc.device(), "opened {:?}\n", misc.device().name());
        KBox::pin_init(
            try_pin_init!(Memory {
                shared: misc.data()?,
                bytes <- new_mutex!(KVec::new()),
            }),
            GFP_KERNEL,
        )
    }

    fn release(memory: Self::Ptr, _file: &File) {
        pr_info!("released with {} bytes\n", memory.bytes.lock().len());
    }

    fn read_iter(mut kiocb: Kiocb<'_, Self::Ptr>, iov: &mut IovIterDest<'_>) -> Result<usize> {
        let memory = kiocb.file();
        let bytes = memory.bytes.lock();
        iov.simple_read_from_buffer(kiocb.ki_pos_mut(), &bytes)
    }

    /// Appends to the bytes, whatever the position, as far as the data can be read.
    fn write_iter(mut kiocb: Kiocb<'_, Self::Ptr>, iov: &mut IovIterSource<'_>) -> Result<usize> {
        let memory = kiocb.file();
        let mut bytes = memory.bytes.lock();
        if bytes.len() + iov.len() > MAX_CONTENT_LEN {
            return Err(ENOSPC);
        }
        let n = iov.copy_from_iter_vec(&mut bytes, GFP_KERNEL)?;
        *kiocb.ki_pos_mut() += n as Offset;
        Ok(n)
    }

    fn lseek(memory: Pin<&Memory>, file: &File, offset: Offset, whence: Whence) -> Result<Offset> {
        let end = memory.bytes.lock().len() as Offset;
        whence.resolve(offset, file.pos(), end)
    }

    fn ioctl(memory: Pin<&Memory>, _file: &File, cmd: u32, arg: usize) -> Result<isize> {
        let at = UserPtr::from_addr(arg);
        match cmd {
            GONE => {
                let plain = memory.shared.plain.lock().take().ok_or(ENOENT)?;
                drop(plain);
            }
            LENGTH => {
                let length = memory.bytes.lock().len() as u64;
                UserSlice::new(at, size_of::<u64>())
                    .writer()
                    .write(&length)?;
            }
            CUT => {
                let length: u64 = UserSlice::new(at, size_of::<u64>()).reader().read()?;
                memory.bytes.lock().truncate(usize::try_from(length)?);
            }
            TWICE => {
                let (mut from, mut to) = UserSlice::new(at, size_of::<u32>()).reader_writer();
                let number: u32 = from.read()?;
                to.write(&number.checked_mul(2).ok_or(EOVERFLOW)?)?;
                return Ok(7);
            }
            _ => return Err(ENOTTY),
        }
        Ok(0)
    }

    fn show_fdinfo(memory: Pin<&Memory>, m: &SeqFile, file: &File) {
        let length = memory.bytes.lock().len();
        seq_print!(
            m,
            "memory:\t{} of {} at {}\n",
            length,
            MAX_CONTENT_LEN,
            file.pos()
        );
    }
}
