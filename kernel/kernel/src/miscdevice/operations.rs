// SPDX-License-Identifier: GPL-2.0-only

//! A device type's `struct file_operations`.

use super::{MiscDevice, MiscDeviceRegistration};
use crate::bindings;
use crate::error::code::{EINVAL, EIO};
use crate::error::Result;
use crate::ffi::{c_int, c_void};
use crate::fs::{file::Offset, File, Kiocb, Whence};
use crate::iov::{IovIterDest, IovIterSource};
use crate::layout;
use crate::seq_file::SeqFile;
use crate::types::ForeignOwnable;
use core::marker::PhantomData;

const WORD: usize = size_of::<*const c_void>();
const WORDS: usize = layout::FILE_OPERATIONS_SIZE / WORD;

/// A `struct file_operations`, of which only pointers are set.
///
/// The kernel looks at it for as long as a file is open, and even after its
/// release, so it is a constant of the module, which an open file keeps.
#[repr(transparent)]
struct Operations([*const c_void; WORDS]);

crate::static_assert!(layout::FILE_OPERATIONS_SIZE == WORDS * WORD);
crate::static_assert!(layout::FILE_OPERATIONS_ALIGN <= WORD);

impl Operations {
    const fn empty() -> Self {
        Self([core::ptr::null(); WORDS])
    }

    /// Sets the member at `offset`.
    const fn with(mut self, offset: usize, value: *const c_void) -> Self {
        let word = offset / WORD;
        assert!(word * WORD == offset);
        self.0[word] = value;
        self
    }

    /// Sets the member at `offset` if the device has such a method.
    const fn with_if(self, has: bool, offset: usize, value: *const c_void) -> Self {
        if has {
            self.with(offset, value)
        } else {
            self
        }
    }
}

/// The operations of a `T`.
///
/// The kernel calls them with a file that was opened through a registration of
/// `T`. After `open` succeeded its private data is a `T::Ptr`, until `release`,
/// which is called once, last, takes it back.
pub(super) struct Table<T>(PhantomData<T>);

impl<T: MiscDevice> Table<T> {
    // The functions' types are those of the members in `include/linux/fs.h`.
    const OPERATIONS: Operations = {
        let table = Operations::empty()
            .with(
                layout::FOP_OWNER,
                crate::module::this_module!().as_ptr().cast_const(),
            )
            .with(layout::FOP_OPEN, Self::open as *const c_void)
            .with(layout::FOP_RELEASE, Self::release as *const c_void)
            .with_if(
                T::HAS_LSEEK,
                layout::FOP_LLSEEK,
                Self::lseek as *const c_void,
            )
            .with_if(
                T::HAS_READ_ITER,
                layout::FOP_READ_ITER,
                Self::read_iter as *const c_void,
            )
            .with_if(
                T::HAS_WRITE_ITER,
                layout::FOP_WRITE_ITER,
                Self::write_iter as *const c_void,
            )
            .with_if(
                T::HAS_IOCTL,
                layout::FOP_UNLOCKED_IOCTL,
                Self::ioctl as *const c_void,
            )
            .with_if(
                T::HAS_SHOW_FDINFO,
                layout::FOP_SHOW_FDINFO,
                Self::show_fdinfo as *const c_void,
            );
        #[cfg(CONFIG_COMPAT)]
        let table = if T::HAS_COMPAT_IOCTL {
            table.with(
                layout::FOP_COMPAT_IOCTL,
                Self::compat_ioctl as *const c_void,
            )
        } else {
            table.with_if(
                T::HAS_IOCTL,
                layout::FOP_COMPAT_IOCTL,
                bindings::koru_misc_compat_ptr_ioctl as *const c_void,
            )
        };
        table
    };

    /// The `struct file_operations *`.
    pub(super) fn get() -> *const bindings::file_operations {
        let operations: &'static Operations = &Self::OPERATIONS;
        core::ptr::from_ref(operations).cast()
    }

    /// # Safety
    ///
    /// See [`Table`]; the file's private data is the `struct miscdevice`.
    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: `misc_open` calls this, with its lock held.
        let errno = unsafe { bindings::koru_misc_may_open(inode, file) };
        if errno != 0 {
            return errno;
        }
        // SAFETY: the file is valid.
        let misc = unsafe { bindings::koru_file_private(file) };
        // SAFETY: it is the first member of a registration of `T`, which is
        // complete, and whose drop waits for the lock that `misc_open` holds.
        let misc = unsafe { &*misc.cast::<MiscDeviceRegistration<T>>() };
        // SAFETY: it is valid during the call.
        let opened = unsafe { File::from_raw_file(file) };
        match T::open(opened, misc) {
            Ok(ptr) => {
                // SAFETY: the file is valid, and nobody else uses it yet.
                unsafe { bindings::koru_file_set_private(file, ptr.into_foreign()) };
                0
            }
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn release(_inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: the file is valid, and its private data is a `T::Ptr` which
        // nothing uses any more.
        let (ptr, file) = unsafe {
            (
                T::Ptr::from_foreign(bindings::koru_file_private(file)),
                File::from_raw_file(file),
            )
        };
        T::release(ptr, file);
        0
    }

    /// # Safety
    ///
    /// See [`Table`]; the iterator is one to write to.
    unsafe extern "C" fn read_iter(
        kiocb: *mut bindings::kiocb,
        iov: *mut bindings::iov_iter,
    ) -> isize {
        // SAFETY: the iterator is this call's.
        let mut to = unsafe { IovIterDest::from_raw(iov) };
        // SAFETY: the kiocb is this call's.
        unsafe { Self::transfer(kiocb, to.len(), |kiocb| T::read_iter(kiocb, &mut to)) }
    }

    /// # Safety
    ///
    /// See [`Table`]; the iterator is one to read from.
    unsafe extern "C" fn write_iter(
        kiocb: *mut bindings::kiocb,
        iov: *mut bindings::iov_iter,
    ) -> isize {
        // SAFETY: the iterator is this call's.
        let mut from = unsafe { IovIterSource::from_raw(iov) };
        // SAFETY: the kiocb is this call's.
        unsafe { Self::transfer(kiocb, from.len(), |kiocb| T::write_iter(kiocb, &mut from)) }
    }

    /// Runs a read or a write: the position moves only if it succeeds. More than
    /// was asked for is never reported, and neither is `EIOCBQUEUED`, which the
    /// kernel takes for a promise to go on later.
    ///
    /// # Safety
    ///
    /// See [`Table`]; the kiocb is this call's.
    unsafe fn transfer(
        kiocb: *mut bindings::kiocb,
        len: usize,
        f: impl FnOnce(Kiocb<'_, T::Ptr>) -> Result<usize>,
    ) -> isize {
        const EIOCBQUEUED: c_int = 529;

        // SAFETY: the kiocb is valid.
        let pos = unsafe { bindings::koru_kiocb_pos(kiocb) };
        // SAFETY: as above, and nobody uses it yet.
        let before = unsafe { *pos };
        // SAFETY: it is this call's; its file is not released before this returns.
        let result = f(unsafe { Kiocb::from_raw(kiocb) });
        let error = match result {
            // The kernel caps `len` below `isize::MAX`.
            Ok(n) if n <= len => return n as isize,
            Ok(_) => EIO,
            Err(error) if error.to_errno() == -EIOCBQUEUED => EIO,
            Err(error) => error,
        };
        // SAFETY: as above, and nobody uses it any more.
        unsafe { *pos = before };
        error.to_errno() as isize
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn lseek(file: *mut bindings::file, offset: Offset, whence: c_int) -> Offset {
        // SAFETY: the file is valid, and is not released before this returns.
        let (device, opened) = unsafe { Self::parts(file) };
        let sought = Whence::from_raw(whence)
            .ok_or(EINVAL)
            .and_then(|whence| T::lseek(device, opened, offset, whence));
        match sought {
            // SAFETY: the file is valid. A negative position is `EINVAL`.
            Ok(pos) => unsafe { bindings::koru_file_set_pos(file, pos) },
            Err(error) => Offset::from(error.to_errno()),
        }
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn ioctl(file: *mut bindings::file, cmd: u32, arg: usize) -> isize {
        // SAFETY: the file is valid, and is not released before this returns.
        let (device, file) = unsafe { Self::parts(file) };
        answer(T::ioctl(device, file, cmd, arg))
    }

    /// # Safety
    ///
    /// See [`Table`].
    #[cfg(CONFIG_COMPAT)]
    unsafe extern "C" fn compat_ioctl(file: *mut bindings::file, cmd: u32, arg: usize) -> isize {
        // SAFETY: the file is valid, and is not released before this returns.
        let (device, file) = unsafe { Self::parts(file) };
        answer(T::compat_ioctl(device, file, cmd, arg))
    }

    /// # Safety
    ///
    /// See [`Table`]; `seq` is a `seq_file` that the kernel locked.
    unsafe extern "C" fn show_fdinfo(seq: *mut bindings::seq_file, file: *mut bindings::file) {
        // SAFETY: the file is valid, and is not released before this returns.
        let (device, file) = unsafe { Self::parts(file) };
        // SAFETY: the caller says so.
        let seq = unsafe { SeqFile::from_raw(seq) };
        T::show_fdinfo(device, seq, file);
    }

    /// What belongs to an open file, and the file.
    ///
    /// # Safety
    ///
    /// See [`Table`]; the file is not released during `'a`.
    unsafe fn parts<'a>(
        file: *mut bindings::file,
    ) -> (<T::Ptr as ForeignOwnable>::Borrowed<'a>, &'a File) {
        // SAFETY: the caller says that the file is valid, and its private data a
        // `T::Ptr`, for `'a`.
        unsafe {
            (
                T::Ptr::borrow(bindings::koru_file_private(file)),
                File::from_raw_file(file),
            )
        }
    }
}

/// What an `ioctl` returns.
fn answer(result: Result<isize>) -> isize {
    match result {
        Ok(value) => value,
        Err(error) => error.to_errno() as isize,
    }
}
