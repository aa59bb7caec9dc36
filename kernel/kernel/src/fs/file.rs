// SPDX-License-Identifier: GPL-2.0-only

//! An open file.

use crate::bindings;
use crate::error::code::{EINVAL, EOVERFLOW};
use crate::error::Result;
use crate::ffi::{c_int, c_void};
use crate::layout;
use crate::types::Opaque;

/// A position in a file: C's `loff_t`.
pub type Offset = i64;

/// The bits of [`File::flags`].
///
/// # Examples
///
/// ```
/// use kernel::fs::{file::flags, File};
/// fn may_wait(file: &File) -> bool {
///     file.flags() & flags::O_NONBLOCK == 0
/// }
/// ```
pub mod flags {
    /// The two bits of the access mode.
    pub const O_ACCMODE: u32 = 0o3;
    /// The file was opened for reading only.
    pub const O_RDONLY: u32 = 0o0;
    /// The file was opened for writing only.
    pub const O_WRONLY: u32 = 0o1;
    /// The file was opened for reading and writing.
    pub const O_RDWR: u32 = 0o2;
    /// Writes append to the file.
    pub const O_APPEND: u32 = 0o2000;
    /// Calls that would wait fail with `EAGAIN`.
    pub const O_NONBLOCK: u32 = 0o4000;
}

/// An open file: C's `struct file`, which all descriptors share that come from one `open`.
///
/// # Examples
///
/// ```
/// fn appends(file: &kernel::fs::File) -> bool {
///     file.flags() & kernel::fs::file::flags::O_APPEND != 0
/// }
/// ```
#[repr(transparent)]
pub struct File {
    inner: Opaque<bindings::file>,
}

// SAFETY: an open file belongs to no thread: processes pass it on and share it.
unsafe impl Send for File {}
// SAFETY: the methods read the flags and the position, each by one load, and others may change them
// at any time.
unsafe impl Sync for File {}

impl File {
    /// Wraps a `struct file *`.
    ///
    /// # Safety
    ///
    /// `ptr` must be valid during `'a`.
    #[inline]
    pub unsafe fn from_raw_file<'a>(ptr: *const bindings::file) -> &'a File {
        // SAFETY: by this function's contract the file stays open during `'a`. An `Opaque` assumes
        // nothing about the memory that it is in.
        unsafe { &*ptr.cast() }
    }

    /// Returns the `struct file *`.
    #[inline]
    pub fn as_ptr(&self) -> *mut bindings::file {
        self.inner.get()
    }

    /// Returns the address of the file's private data.
    ///
    /// # Safety
    ///
    /// `file` must be a valid `struct file`.
    #[inline]
    pub(crate) unsafe fn private_data(file: *mut bindings::file) -> *mut *mut c_void {
        // SAFETY: `file` is a `struct file` by this function's contract, and C measured that
        // `private_data`, a `void *`, is at that offset: so within the structure, and aligned.
        unsafe { file.byte_add(layout::FILE_PRIVATE_DATA).cast() }
    }

    /// Returns the file's inode.
    ///
    /// # Safety
    ///
    /// `file` must be a valid `struct file`.
    #[inline]
    pub(crate) unsafe fn inode(file: *mut bindings::file) -> *mut bindings::inode {
        // SAFETY: `file` is a `struct file` by this function's contract, and C measured that
        // `f_inode` is at that offset. It is set before the file is opened, and does not change.
        unsafe {
            file.byte_add(layout::FILE_INODE)
                .cast::<*mut bindings::inode>()
                .read()
        }
    }

    /// Returns the data that an entry of `/proc` was created with.
    ///
    /// # Safety
    ///
    /// `inode` must be the valid inode of an entry that was made by `koru_proc_create`.
    #[inline]
    pub(crate) unsafe fn proc_data(inode: *mut bindings::inode) -> *mut c_void {
        if layout::INODE_PROC_DATA == 0 {
            // SAFETY: the function takes the inode of an entry, which this is by this function's
            // contract.
            return unsafe { bindings::koru_proc_data(inode) };
        }
        // SAFETY: `inode` is a valid `struct inode` by this function's contract, and C measured
        // that the member is at that offset. It is set before the file is opened, and does not
        // change.
        unsafe {
            inode
                .byte_add(layout::INODE_PROC_DATA)
                .cast::<*mut c_void>()
                .read()
        }
    }

    /// Returns the flags of `open`, as `fcntl` may have changed them; see [`flags`].
    ///
    /// Context: any.
    #[inline]
    pub fn flags(&self) -> u32 {
        // SAFETY: the function reads `f_flags` of a valid file, which `self` is while it is
        // borrowed, by the contract of `from_raw_file`.
        unsafe { bindings::koru_file_flags(self.as_ptr()) }
    }

    /// Returns the position at which the next `read` or `write` starts.
    ///
    /// Context: any.
    #[inline]
    pub fn pos(&self) -> Offset {
        // SAFETY: the function reads `f_pos` of a valid file, which `self` is while it is borrowed,
        // by the contract of `from_raw_file`.
        unsafe { bindings::koru_file_pos(self.as_ptr()) }
    }
}

/// The permission bits of a new file, which say who may open it.
///
/// The umask does not apply.
///
/// # Examples
///
/// ```
/// use kernel::fs::Mode;
/// let everybody_reads_and_writes = Mode::new::<0o666>();
/// # let _ = everybody_reads_and_writes;
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mode(u16);

impl Mode {
    /// Creates a mode from an octal number, which the compiler checks.
    ///
    /// 0 is refused, because the kernel would replace it by 0444.
    pub const fn new<const MODE: u16>() -> Self {
        const { assert!(MODE != 0 && MODE <= 0o777, "a mode must be 0o1 to 0o777") };
        Self(MODE)
    }

    #[inline]
    pub(crate) const fn bits(self) -> u16 {
        self.0
    }
}

/// The position that an `lseek` is relative to.
///
/// # Examples
///
/// ```
/// use kernel::fs::Whence;
/// let from_the_start = Whence::Set;
/// # let _ = from_the_start;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    /// The start of the file.
    Set,
    /// The current position.
    Cur,
    /// The end of the file.
    End,
}

impl Whence {
    /// Converts C's `SEEK_SET`, `SEEK_CUR` or `SEEK_END`, and returns `None` for the others, which
    /// files with holes have.
    pub(crate) fn from_raw(whence: c_int) -> Option<Self> {
        match whence {
            0 => Some(Self::Set),
            1 => Some(Self::Cur),
            2 => Some(Self::End),
            _ => None,
        }
    }

    /// Returns the position that an `lseek` asks for, in a file that ends at `end`, if the position
    /// was `pos`.
    ///
    /// The caller must check that the result is not too large for the file.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the result is negative, `EOVERFLOW` if it does not fit into a position.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{fs::{file::Offset, Whence}, prelude::*};
    /// fn ten_before(end: Offset) -> Result<Offset> {
    ///     Whence::End.resolve(-10, 0, end)
    /// }
    /// ```
    pub fn resolve(self, offset: Offset, pos: Offset, end: Offset) -> Result<Offset> {
        let base = match self {
            Self::Set => 0,
            Self::Cur => pos,
            Self::End => end,
        };
        match base.checked_add(offset) {
            Some(at) if at >= 0 => Ok(at),
            Some(_) => Err(EINVAL),
            None => Err(EOVERFLOW),
        }
    }
}
