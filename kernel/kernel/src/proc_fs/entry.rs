// SPDX-License-Identifier: GPL-2.0-only

//! The entry of a file in /proc: its name, and its registration.

use crate::bindings;
use crate::error::{code::EINVAL, from_err_ptr, Result};
use crate::ffi::c_void;
use crate::fs::operations::ProcOps;
use crate::fs::{is_file_name, Mode};
use crate::live::{Kind, Live};
use core::ffi::CStr;
use core::ptr::NonNull;

/// How a file is called, and what else the kernel is told about it.
///
/// # Examples
///
/// ```
/// use kernel::proc_fs::{Mode, Options};
/// let options = Options::new(c"example", Mode::new::<0o444>()).size_hint(8192);
/// # let _ = options;
/// ```
#[derive(Clone, Copy)]
pub struct Options {
    name: &'static CStr,
    mode: Mode,
    pub(super) size_hint: usize,
}

impl Options {
    /// A file `/proc/NAME`.
    ///
    /// A name has 1 to 255 bytes, of which none is a slash or a control character. It is
    /// not `.`, `..` or all digits: numbers are processes.
    pub const fn new(name: &'static CStr, mode: Mode) -> Self {
        Self {
            name,
            mode,
            size_hint: 0,
        }
    }

    /// How long a [`ShowFile`](super::ShowFile)'s text is, in bytes. With a good guess above a
    /// page it is printed once, not several times into ever larger buffers. Each
    /// open file gets a buffer of that size, so more than 1 MiB counts as 1 MiB.
    pub const fn size_hint(mut self, bytes: usize) -> Self {
        self.size_hint = if bytes < MAX_SIZE_HINT {
            bytes
        } else {
            MAX_SIZE_HINT
        };
        self
    }

    /// # Errors
    ///
    /// `EINVAL` for a name that cannot be one in /proc, where numbers are processes.
    fn check(&self) -> Result {
        let name = self.name.to_bytes();
        if is_file_name(name) && !name.iter().all(u8::is_ascii_digit) {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }
}

/// The kernel WARNs when it is asked for a buffer of gigabytes.
const MAX_SIZE_HINT: usize = 1 << 20;

/// The file itself.
///
/// # Invariants
///
/// The pointer comes from `koru_proc_create` and was not removed.
pub(super) struct Entry {
    ptr: NonNull<bindings::proc_dir_entry>,
    name: &'static CStr,
    // Dropped after the entry was removed.
    _live: Live,
}

// SAFETY: `koru_proc_remove` may be called by every thread.
unsafe impl Send for Entry {}
// SAFETY: a shared reference can do nothing.
unsafe impl Sync for Entry {}

impl Entry {
    /// Makes the file. May sleep.
    ///
    /// # Safety
    ///
    /// The functions in `ops` may be called with `data` as the entry's data until the
    /// entry is dropped.
    pub(super) unsafe fn new(
        options: Options,
        ops: &'static ProcOps,
        data: *mut c_void,
    ) -> Result<Self> {
        options.check()?;
        // SAFETY: `koru_proc_create` wants a name of the kind that was just checked, as
        // a C string, which it copies; operations that stay, which a static does; and
        // `data` for them, which the caller promises. It may sleep, as the caller.
        let entry = unsafe {
            bindings::koru_proc_create(
                options.name.as_ptr().cast(),
                u32::from(options.mode.bits()),
                ops.as_ptr(),
                data,
            )
        };
        Ok(Self {
            ptr: NonNull::new(from_err_ptr(entry)?).ok_or(EINVAL)?,
            name: options.name,
            _live: Live::new(Kind::ProcFile),
        })
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant `koru_proc_create` made it, and this is the
        // only time that it is removed. It may sleep, and waits for running calls. The
        // name, for its message, is a C string that stays.
        unsafe { bindings::koru_proc_remove(self.ptr.as_ptr(), self.name.as_ptr().cast()) }
    }
}
