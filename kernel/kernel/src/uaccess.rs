// SPDX-License-Identifier: GPL-2.0-only

//! Access to the memory of the process that made the system call.
//!
//! Nothing here trusts an address: access to memory that is not mapped, or that is the kernel's,
//! fails with `EFAULT`. A reader or writer advances only by what was copied completely, so a fault
//! consumes nothing. All accesses may sleep, because a page may have to be read in.
//!
//! C header: `include/linux/uaccess.h`

use crate::alloc::{Allocator, Flags, Vec};
use crate::bindings;
use crate::error::{code::EFAULT, code::EINVAL, Result};
use crate::ffi::c_void;
use crate::fs::file::Offset;
use crate::transmute::{AsBytes, FromBytes};
use core::ffi::CStr;
use core::mem::MaybeUninit;

/// An address in user space, which must not be dereferenced.
///
/// # Examples
///
/// ```
/// use kernel::uaccess::{UserPtr, UserSlice};
/// fn argument(arg: usize) -> UserSlice {
///     UserSlice::new(UserPtr::from_addr(arg), 16)
/// }
/// ```
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct UserPtr(*mut c_void);

impl UserPtr {
    /// Creates one from a number, such as the argument of an ioctl.
    #[inline]
    pub fn from_addr(addr: usize) -> Self {
        Self(core::ptr::without_provenance_mut(addr))
    }

    /// Returns the address as a number.
    #[inline]
    fn addr(self) -> usize {
        self.0.addr()
    }

    /// Returns the address that is `bytes` higher.
    ///
    /// One that overflows faults when it is used.
    #[inline]
    fn wrapping_byte_add(self, bytes: usize) -> Self {
        Self(self.0.wrapping_byte_add(bytes))
    }
}

/// A range of user memory.
///
/// Read each value only once, because another thread of the process may change it between two
/// reads.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, uaccess::UserSlice};
/// fn all(ptr: UserPtr, len: usize) -> Result<KVec<u8>> {
///     let mut bytes = KVec::new();
///     UserSlice::new(ptr, len).read_all(&mut bytes, GFP_KERNEL)?;
///     Ok(bytes)
/// }
/// ```
pub struct UserSlice {
    ptr: UserPtr,
    length: usize,
}

impl UserSlice {
    /// Creates a range, which is checked when it is used.
    #[inline]
    pub fn new(ptr: UserPtr, length: usize) -> Self {
        UserSlice { ptr, length }
    }

    /// Appends all bytes of the range to `buf`, or, on an error, none.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EFAULT` if a byte cannot be read, `ENOMEM` if there is no memory.
    pub fn read_all<A: Allocator>(self, buf: &mut Vec<u8, A>, flags: Flags) -> Result {
        self.reader().read_all(buf, flags)
    }

    /// Creates a reader of the range.
    #[inline]
    pub fn reader(self) -> UserSliceReader {
        UserSliceReader {
            ptr: self.ptr,
            length: self.length,
        }
    }

    /// Creates a writer to the range.
    #[inline]
    pub fn writer(self) -> UserSliceWriter {
        UserSliceWriter {
            ptr: self.ptr,
            length: self.length,
        }
    }

    /// Creates a reader and a writer, each of which starts at the beginning of the range.
    pub fn reader_writer(self) -> (UserSliceReader, UserSliceWriter) {
        let writer = UserSliceWriter {
            ptr: self.ptr,
            length: self.length,
        };
        (self.reader(), writer)
    }
}

/// A reader of a [`UserSlice`], from its start to its end.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, uaccess::UserSliceReader};
/// fn number(reader: &mut UserSliceReader) -> Result<u32> {
///     reader.read::<u32>()
/// }
/// ```
pub struct UserSliceReader {
    ptr: UserPtr,
    length: usize,
}

impl UserSliceReader {
    /// Skips `num_skip` bytes.
    ///
    /// # Errors
    ///
    /// `EFAULT` if fewer are left.
    #[inline]
    pub fn skip(&mut self, num_skip: usize) -> Result {
        self.length = self.length.checked_sub(num_skip).ok_or(EFAULT)?;
        self.ptr = self.ptr.wrapping_byte_add(num_skip);
        Ok(())
    }

    /// Returns the number of bytes that are left.
    #[inline]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Returns whether no bytes are left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Fills `out`.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EFAULT` if fewer bytes are left or one cannot be read. `out` may then be written in part;
    /// the reader does not advance.
    #[inline]
    pub fn read_raw(&mut self, out: &mut [MaybeUninit<u8>]) -> Result {
        if out.len() > self.length {
            return Err(EFAULT);
        }
        // SAFETY: `copy_from_user()` takes memory of the kernel that is valid for writes of the
        // length, as `out` is. It checks the user's address itself, and `koru_copy_from_user`
        // copies nothing where there is no user memory.
        let not_copied = unsafe {
            bindings::koru_copy_from_user(out.as_mut_ptr().cast(), self.ptr.addr(), out.len())
        };
        if not_copied != 0 {
            return Err(EFAULT);
        }
        self.skip(out.len())
    }

    /// Fills `out`, whose bytes are initialised.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EFAULT` if fewer bytes are left or one cannot be read. `out` may then be written in part;
    /// the reader does not advance.
    #[inline]
    pub fn read_slice(&mut self, out: &mut [u8]) -> Result {
        // SAFETY: both types have the same layout, and `read_raw` writes only initialised bytes, so
        // `out` stays valid.
        let out = unsafe { &mut *(core::ptr::from_mut(out) as *mut [MaybeUninit<u8>]) };
        self.read_raw(out)
    }

    /// Reads into `out` from `offset` on, as much as both sides allow, and advances `offset`.
    ///
    /// This is what a `write` to a file with this content does. Returns the number of bytes read.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the offset is negative, `EFAULT` if a byte cannot be read; `offset` is unchanged
    /// then.
    #[inline]
    pub fn read_slice_file(&mut self, out: &mut [u8], offset: &mut Offset) -> Result<usize> {
        let start = usize::try_from(*offset).map_err(|_| EINVAL)?;
        let Some(out) = out.get_mut(start..) else {
            return Ok(0);
        };
        let len = out.len().min(self.len());
        let Some(out) = out.get_mut(..len) else {
            return Ok(0);
        };
        self.read_slice(out)?;
        *offset += len as Offset;
        Ok(len)
    }

    /// Reads a value of a type for which any bytes are valid.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EFAULT` if fewer bytes are left or one cannot be read.
    #[inline]
    pub fn read<T: FromBytes>(&mut self) -> Result<T> {
        let mut out = MaybeUninit::<T>::uninit();
        let size = size_of::<T>();
        if size > self.length {
            return Err(EFAULT);
        }
        // SAFETY: `copy_from_user()` takes memory of the kernel that is valid for writes of the
        // length, as that of a `T` is for its size. It checks the user's address itself, and
        // `koru_copy_value_from_user` copies nothing where there is no user memory.
        let not_copied = unsafe {
            bindings::koru_copy_value_from_user(out.as_mut_ptr().cast(), self.ptr.addr(), size)
        };
        if not_copied != 0 {
            return Err(EFAULT);
        }
        self.skip(size)?;
        // SAFETY: 0 bytes were not copied, so all of them were written, and by `FromBytes` any
        // bytes are a valid `T`.
        Ok(unsafe { out.assume_init() })
    }

    /// Appends all bytes that are left to `buf`, or, on an error, none.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EFAULT` if a byte cannot be read, `ENOMEM` if there is no memory.
    pub fn read_all<A: Allocator>(mut self, buf: &mut Vec<u8, A>, flags: Flags) -> Result {
        let (len, old) = (self.length, buf.len());
        buf.reserve(len, flags)?;
        // SAFETY: `reserve` made space for `len` bytes after the old ones.
        let spare = unsafe {
            core::slice::from_raw_parts_mut(
                buf.as_mut_ptr().add(old).cast::<MaybeUninit<u8>>(),
                len,
            )
        };
        self.read_raw(spare)?;
        // SAFETY: the `len` bytes after the old ones were just written, within the capacity.
        unsafe { buf.set_len(old + len) };
        Ok(())
    }

    /// Reads a C string into `buf`.
    ///
    /// It is read up to its NUL, or as much as fits, which is then terminated.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EFAULT` if a byte cannot be read, or if there is no NUL in the range and `buf` is longer
    /// than it; `EINVAL` if `buf` is empty.
    pub fn strcpy_into_buf(mut self, buf: &mut [u8]) -> Result<&CStr> {
        if buf.is_empty() {
            return Err(EINVAL);
        }
        let len = buf.len().min(self.length);
        // SAFETY: `strncpy_from_user()` takes memory of the kernel that is valid for writes of the
        // length, which is at most that of `buf`. It checks the user's address itself.
        let res = unsafe {
            bindings::koru_strncpy_from_user(buf.as_mut_ptr(), self.ptr.addr(), len as isize)
        };
        let read = usize::try_from(res).map_err(|_| EFAULT)?;
        if read >= buf.len() {
            // There is no NUL within the buffer, so the string is cut.
            if let Some(last) = buf.last_mut() {
                *last = 0;
            }
        } else if read == len {
            return Err(EFAULT);
        }
        self.skip(read.min(self.length))?;
        CStr::from_bytes_until_nul(buf).map_err(|_| EFAULT)
    }
}

/// A writer to a [`UserSlice`], from its start to its end.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, uaccess::UserSliceWriter};
/// fn answer(writer: &mut UserSliceWriter) -> Result {
///     writer.write(&42u32)
/// }
/// ```
pub struct UserSliceWriter {
    ptr: UserPtr,
    length: usize,
}

impl UserSliceWriter {
    /// Returns the number of bytes that can still be written.
    #[inline]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Returns whether no bytes can be written any more.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Creates another writer to the part of the range that this one has not written.
    ///
    /// It writes the same memory again, for code that learns only after copying that the data was
    /// wrong.
    #[inline]
    pub fn clone_writer(&self) -> UserSliceWriter {
        UserSliceWriter {
            ptr: self.ptr,
            length: self.length,
        }
    }

    /// Writes all of `data`.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EFAULT` if the range is too small, or a byte cannot be written. User memory may then be
    /// written in part; the writer does not advance.
    #[inline]
    pub fn write_slice(&mut self, data: &[u8]) -> Result {
        let length = self.length.checked_sub(data.len()).ok_or(EFAULT)?;
        // SAFETY: `copy_to_user()` takes memory of the kernel that is valid for reads of the
        // length, and initialised, as `data` is. It checks the user's address itself, and
        // `koru_copy_to_user` copies nothing where there is no user memory.
        let not_copied = unsafe {
            bindings::koru_copy_to_user(self.ptr.addr(), data.as_ptr().cast(), data.len())
        };
        if not_copied != 0 {
            return Err(EFAULT);
        }
        self.ptr = self.ptr.wrapping_byte_add(data.len());
        self.length = length;
        Ok(())
    }

    /// Writes `data` from `offset` on, as much as both sides allow, and advances `offset`.
    ///
    /// This is what a `read` of a file with this content does. Returns the number of bytes written.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EFAULT` if a byte cannot be written, `EINVAL` if the offset is negative; `offset` is
    /// unchanged then.
    #[inline]
    pub fn write_slice_file(&mut self, data: &[u8], offset: &mut Offset) -> Result<usize> {
        let start = usize::try_from(*offset).map_err(|_| EINVAL)?;
        let data = data.get(start..).unwrap_or_default();
        let data = data.get(..data.len().min(self.length)).unwrap_or_default();
        self.write_slice(data)?;
        *offset += data.len() as Offset;
        Ok(data.len())
    }

    /// Writes the bytes of a value.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EFAULT` if the range is too small, or a byte cannot be written.
    #[inline]
    pub fn write<T: AsBytes>(&mut self, value: &T) -> Result {
        let size = size_of::<T>();
        let length = self.length.checked_sub(size).ok_or(EFAULT)?;
        // SAFETY: `copy_to_user()` takes memory of the kernel that is valid for reads of the
        // length, and initialised, as that of a `T` is by `AsBytes` for its size. It checks the
        // user's address itself, and `koru_copy_value_to_user` copies nothing where there is no
        // user memory.
        let not_copied = unsafe {
            let from = core::ptr::from_ref(value).cast();
            bindings::koru_copy_value_to_user(self.ptr.addr(), from, size)
        };
        if not_copied != 0 {
            return Err(EFAULT);
        }
        self.ptr = self.ptr.wrapping_byte_add(size);
        self.length = length;
        Ok(())
    }
}
