// SPDX-License-Identifier: GPL-2.0-only

//! The `struct file_operations` of a device.

use super::device::{MiscDevice, MiscDeviceRegistration};
use super::opening::while_opening;
use crate::bindings;
use crate::error::code::{EINVAL, EIO};
use crate::error::{Error, Result};
use crate::ffi::c_int;
use crate::fs::operations::{FileOperations, Member};
use crate::fs::{file::Offset, File, Kiocb, Whence};
use crate::iov::{IovIterDest, IovIterSource};
use crate::seq_file::SeqFile;
use crate::sync::poll;
use crate::types::ForeignOwnable;
use core::marker::PhantomData;

/// The C functions of a `T`.
///
/// The kernel calls them with a file that was opened through a registration of `T`. After `open`
/// succeeded, the file's private data is a `T::Ptr`, until `release`, which is called once and
/// last, takes it back.
pub(super) struct Table<T>(PhantomData<T>);

impl<T: MiscDevice> Table<T> {
    /// The kernel uses the table as long as a file is open, and even after its release, so it is a
    /// constant of the module, which an open file keeps loaded.
    const OPERATIONS: FileOperations = {
        let table = FileOperations::empty()
            .with(Member::OWNER, crate::module::this_module!().as_ptr())
            .with(Member::OPEN, Some(Self::open))
            .with(Member::RELEASE, Some(Self::release))
            .with_if(T::HAS_LSEEK, Member::LLSEEK, Some(Self::lseek))
            .with_if(T::HAS_READ_ITER, Member::READ_ITER, Some(Self::read_iter))
            .with_if(
                T::HAS_WRITE_ITER,
                Member::WRITE_ITER,
                Some(Self::write_iter),
            )
            .with_if(T::HAS_IOCTL, Member::UNLOCKED_IOCTL, Some(Self::ioctl))
            .with_if(T::HAS_POLL, Member::POLL, Some(Self::poll))
            .with_if(
                T::HAS_SHOW_FDINFO,
                Member::SHOW_FDINFO,
                Some(Self::show_fdinfo),
            );
        let table = table.with_if(
            cfg!(CONFIG_COMPAT) && T::HAS_IOCTL,
            Member::COMPAT_IOCTL,
            Some(bindings::koru_misc_compat_ptr_ioctl as _),
        );
        #[cfg(CONFIG_COMPAT)]
        let table = table.with_if(
            T::HAS_COMPAT_IOCTL,
            Member::COMPAT_IOCTL,
            Some(Self::compat_ioctl),
        );
        table
    };

    /// Returns the `struct file_operations *`.
    pub(super) fn get() -> *const bindings::file_operations {
        let operations: &'static FileOperations = &Self::OPERATIONS;
        operations.as_ptr()
    }

    /// # Safety
    ///
    /// The caller must be the kernel, as [`Table`] describes, and the file's private data must be
    /// the `struct miscdevice`.
    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: `koru_misc_refuse_open_during_init` is for an `open` that `misc_open()` calls,
        // which this is, with the arguments of that.
        let errno = unsafe { bindings::koru_misc_refuse_open_during_init(inode, file) };
        if errno != 0 {
            return errno;
        }
        // SAFETY: the kernel is opening this file, so it is valid, and no other thread has it.
        let private = unsafe { File::private_data(file) };
        // SAFETY: `private` is the address of that file's private data, which is valid for reads.
        let misc = unsafe { private.read() };
        // SAFETY: by this function's contract the pointer is that of a `struct miscdevice`, the
        // first member of a registration of `T`. That is complete, because `init` has succeeded,
        // and its drop waits for the lock that `misc_open()` holds.
        let misc = unsafe { &*misc.cast::<MiscDeviceRegistration<T>>() };
        // SAFETY: the kernel passes a file that is valid during the call.
        let opened = unsafe { File::from_raw_file(file) };
        let result = while_opening(|| T::open(opened, misc));
        match result {
            Ok(ptr) => {
                // SAFETY: `private` is in a file that is valid, and nobody else uses it yet.
                unsafe { private.write(ptr.into_foreign()) };
                0
            }
            Err(error) => error.to_user_errno(),
        }
    }

    /// # Safety
    ///
    /// The caller must be the kernel, as [`Table`] describes.
    unsafe extern "C" fn release(_inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: the file is valid during the call, and its private data is a `T::Ptr` from
        // `open`, which nothing uses any more and only this call takes back.
        let (ptr, file) = unsafe {
            (
                T::Ptr::from_foreign(File::private_data(file).read()),
                File::from_raw_file(file),
            )
        };
        T::release(ptr, file);
        if T::HAS_POLL {
            // SAFETY: the kernel is releasing the file, so nobody polls it any more.
            unsafe { poll::release(file) };
        }
        0
    }

    /// # Safety
    ///
    /// The caller must be the kernel, as [`Table`] describes, and `iov` must be an iterator to
    /// write to.
    unsafe extern "C" fn read_iter(
        kiocb: *mut bindings::kiocb,
        iov: *mut bindings::iov_iter,
    ) -> isize {
        // SAFETY: the kernel passes an iterator that only this call uses, and that is one to write
        // to by this function's contract.
        let mut to = unsafe { IovIterDest::from_raw(iov) };
        // SAFETY: the kernel passes a kiocb that only this call uses.
        unsafe { Self::transfer(kiocb, to.len(), |kiocb| T::read_iter(kiocb, &mut to)) }
    }

    /// # Safety
    ///
    /// The caller must be the kernel, as [`Table`] describes, and `iov` must be an iterator to read
    /// from.
    unsafe extern "C" fn write_iter(
        kiocb: *mut bindings::kiocb,
        iov: *mut bindings::iov_iter,
    ) -> isize {
        // SAFETY: the kernel passes an iterator that only this call uses, and that is one to read
        // from by this function's contract.
        let mut from = unsafe { IovIterSource::from_raw(iov) };
        // SAFETY: the kernel passes a kiocb that only this call uses.
        unsafe { Self::transfer(kiocb, from.len(), |kiocb| T::write_iter(kiocb, &mut from)) }
    }

    /// Runs a read or a write, and returns its result for C.
    ///
    /// The position moves only on success, and more than `len` is never reported.
    ///
    /// # Safety
    ///
    /// The caller must be called by the kernel as [`Table`] describes, with this `kiocb`.
    unsafe fn transfer(
        kiocb: *mut bindings::kiocb,
        len: usize,
        f: impl FnOnce(Kiocb<'_, T::Ptr>) -> Result<usize>,
    ) -> isize {
        // SAFETY: `pos` takes a valid `struct kiocb`, which the kernel passes to this call.
        let pos = unsafe { Kiocb::<T::Ptr>::pos(kiocb) };
        // SAFETY: only this call uses the kiocb, so nobody else uses its position.
        let before = unsafe { pos.read() };
        // SAFETY: only this call uses the kiocb, whose file is not released before this returns,
        // and whose private data is a `T::Ptr`.
        let result = f(unsafe { Kiocb::from_raw(kiocb) });
        let error = match result {
            // The kernel caps `len` below `isize::MAX`.
            Ok(n) if n <= len => return n as isize,
            Ok(_) => EIO,
            Err(error) => error,
        };
        // SAFETY: only this call uses the kiocb, and `f`, which has returned, does not use it any
        // more.
        unsafe { pos.write(before) };
        error.to_user_errno() as isize
    }

    /// # Safety
    ///
    /// The caller must be the kernel, as [`Table`] describes.
    unsafe extern "C" fn lseek(file: *mut bindings::file, offset: Offset, whence: c_int) -> Offset {
        // SAFETY: the kernel passes a file of this table, which is not released before this
        // returns.
        let (device, opened) = unsafe { Self::borrow_parts(file) };
        let sought = Whence::from_raw(whence)
            .ok_or(EINVAL)
            .and_then(|whence| T::lseek(device, opened, offset, whence));
        match sought {
            // SAFETY: `koru_file_set_pos` takes a valid file, and refuses a negative position with
            // `EINVAL`.
            Ok(pos) => unsafe { bindings::koru_file_set_pos(file, pos) },
            Err(error) => Offset::from(error.to_user_errno()),
        }
    }

    /// # Safety
    ///
    /// The caller must be the kernel, as [`Table`] describes.
    unsafe extern "C" fn ioctl(file: *mut bindings::file, cmd: u32, arg: usize) -> isize {
        // SAFETY: the kernel passes a file of this table, which is not released before this
        // returns.
        let (device, file) = unsafe { Self::borrow_parts(file) };
        ioctl_result(T::ioctl(device, file, cmd, arg))
    }

    /// # Safety
    ///
    /// The caller must be the kernel, as [`Table`] describes.
    #[cfg(CONFIG_COMPAT)]
    unsafe extern "C" fn compat_ioctl(file: *mut bindings::file, cmd: u32, arg: usize) -> isize {
        // SAFETY: the kernel passes a file of this table, which is not released before this
        // returns.
        let (device, file) = unsafe { Self::borrow_parts(file) };
        ioctl_result(T::compat_ioctl(device, file, cmd, arg))
    }

    /// # Safety
    ///
    /// The caller must be the kernel, as [`Table`] describes, and `table` must be null or valid.
    unsafe extern "C" fn poll(
        file: *mut bindings::file,
        table: *mut bindings::poll_table_struct,
    ) -> u32 {
        // SAFETY: the kernel passes a file of this table, which is not released before this
        // returns.
        let (device, file) = unsafe { Self::borrow_parts(file) };
        // SAFETY: the table is null or valid during the call, by this function's contract, and
        // belongs to a poll of this file. `release` is the function that the kernel calls at the
        // end of the file, and calls `poll::release`.
        unsafe { poll::poll(file, table, |table| T::poll(device, file, table)) }
    }

    /// # Safety
    ///
    /// The caller must be the kernel, as [`Table`] describes, and must have locked `seq`.
    unsafe extern "C" fn show_fdinfo(seq: *mut bindings::seq_file, file: *mut bindings::file) {
        // SAFETY: the kernel passes a file of this table, which is not released before this
        // returns.
        let (device, file) = unsafe { Self::borrow_parts(file) };
        // SAFETY: the kernel passes a `seq_file` that it has locked, so it stays until this
        // returns, and nobody else prints to it.
        let seq = unsafe { SeqFile::from_raw(seq) };
        T::show_fdinfo(device, seq, file);
    }

    /// Returns the data of an open file, and the file.
    ///
    /// # Safety
    ///
    /// The caller must be called by the kernel as [`Table`] describes, with this `file`, which must
    /// not be released during `'a`.
    unsafe fn borrow_parts<'a>(
        file: *mut bindings::file,
    ) -> (<T::Ptr as ForeignOwnable>::Borrowed<'a>, &'a File) {
        // SAFETY: by this function's contract the file is one of the device's that is not released
        // during `'a`. So it is valid, and its private data is from `open`: a `T::Ptr`, which only
        // `release` takes back.
        unsafe {
            (
                T::Ptr::borrow(File::private_data(file).read()),
                File::from_raw_file(file),
            )
        }
    }
}

/// Converts the result of an `ioctl` for C.
///
/// A number that is an errno is treated as an error, whoever returned it.
fn ioctl_result(result: Result<isize>) -> isize {
    let error = match result {
        Ok(value) => match c_int::try_from(value).ok().and_then(Error::try_from_errno) {
            Some(error) => error,
            None => return value,
        },
        Err(error) => error,
    };
    error.to_user_errno() as isize
}
