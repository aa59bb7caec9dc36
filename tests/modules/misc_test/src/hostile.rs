// SPDX-License-Identifier: GPL-2.0-only

//! A device whose results are wrong.

use kernel::{
    fs::{file::Offset, File, Kiocb, Whence},
    iov::{IovIterDest, IovIterSource},
    miscdevice::{MiscDevice, MiscDeviceRegistration},
    prelude::*,
};

pub(crate) struct Hostile;

#[vtable]
impl MiscDevice for Hostile {
    type Ptr = ();

    fn open(file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result {
        if file.flags() & kernel::fs::file::flags::O_NONBLOCK != 0 {
            return Err(ERANGE);
        }
        Ok(())
    }

    /// Returns more than was asked for, and moves the position.
    fn read_iter(mut kiocb: Kiocb<'_, ()>, iov: &mut IovIterDest<'_>) -> Result<usize> {
        *kiocb.ki_pos_mut() += 100;
        Ok(iov.len() + 1)
    }

    /// Returns a promise to complete later, which in C stops the kernel.
    fn write_iter(mut kiocb: Kiocb<'_, ()>, _iov: &mut IovIterSource<'_>) -> Result<usize> {
        *kiocb.ki_pos_mut() += 100;
        Err(Error::from_errno(-529))
    }

    /// Returns a number that is no position.
    fn lseek(_device: (), _file: &File, _offset: Offset, _whence: Whence) -> Result<Offset> {
        Ok(Offset::MIN)
    }
}
