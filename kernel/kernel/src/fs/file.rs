// SPDX-License-Identifier: GPL-2.0-only

//! One open file.

use crate::bindings;
use crate::ffi::c_void;
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
    /// The two bits that say how the file was opened.
    pub const O_ACCMODE: u32 = 0o3;
    /// For reading only.
    pub const O_RDONLY: u32 = 0o0;
    /// For writing only.
    pub const O_WRONLY: u32 = 0o1;
    /// For both.
    pub const O_RDWR: u32 = 0o2;
    /// Writes go to the end.
    pub const O_APPEND: u32 = 0o2000;
    /// Calls that would wait fail with `EAGAIN`.
    pub const O_NONBLOCK: u32 = 0o4000;
}

/// An open file: what all descriptors share that come from one `open`.
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
    inner: Opaque<u8>,
}

// SAFETY: an open file may be used from every thread.
unsafe impl Send for File {}
// SAFETY: as above.
unsafe impl Sync for File {}

impl File {
    /// Wraps a `struct file *`.
    ///
    /// # Safety
    ///
    /// It is valid while the result lives.
    pub unsafe fn from_raw_file<'a>(ptr: *const c_void) -> &'a File {
        // SAFETY: the caller says that it is valid; nothing is assumed of what
        // it points to.
        unsafe { &*ptr.cast() }
    }

    /// The `struct file *`.
    pub fn as_ptr(&self) -> *mut c_void {
        self.inner.get().cast()
    }

    /// The flags of `open`, as `fcntl` may have changed them: see [`flags`].
    pub fn flags(&self) -> u32 {
        // SAFETY: by `from_raw_file` it is valid.
        unsafe { bindings::koru_file_flags(self.as_ptr()) }
    }

    /// The position that the next `read` or `write` starts at.
    pub fn pos(&self) -> Offset {
        // SAFETY: by `from_raw_file` it is valid.
        unsafe { bindings::koru_file_pos(self.as_ptr()) }
    }
}
