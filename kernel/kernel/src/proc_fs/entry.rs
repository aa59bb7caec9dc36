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

/// The name of a file in /proc, its mode, and a hint about its size.
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
    /// Creates the options of a file `/proc/NAME`.
    ///
    /// A name has 1 to 255 bytes, none of which is a slash or a control character. It must not be
    /// `.`, `..` or all digits, because numbers are processes.
    pub const fn new(name: &'static CStr, mode: Mode) -> Self {
        Self {
            name,
            mode,
            size_hint: 0,
        }
    }

    /// Sets the expected length of a [`ShowFile`](super::ShowFile)'s text, in bytes.
    ///
    /// With a good guess above a page the text is printed once instead of several times into ever
    /// larger buffers. Each open file gets a buffer of that size, so more than 1 MiB counts as 1
    /// MiB.
    pub const fn size_hint(mut self, bytes: usize) -> Self {
        self.size_hint = if bytes < MAX_SIZE_HINT {
            bytes
        } else {
            MAX_SIZE_HINT
        };
        self
    }

    /// Checks that the name is one that a file in /proc can have.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is not; numbers are processes.
    fn check(&self) -> Result {
        let name = self.name.to_bytes();
        if is_file_name(name) && !name.iter().all(u8::is_ascii_digit) {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }
}

/// The largest hint.
///
/// The kernel WARNs when it is asked for a buffer of gigabytes.
const MAX_SIZE_HINT: usize = 1 << 20;

/// The entry of a file in /proc.
///
/// # Invariants
///
/// The pointer comes from `koru_proc_create`, and the entry was not removed.
pub(super) struct Entry {
    ptr: NonNull<bindings::proc_dir_entry>,
    name: &'static CStr,
    // Dropped after the entry was removed.
    _live: Live,
}

// SAFETY: any thread may call `koru_proc_remove`.
unsafe impl Send for Entry {}
// SAFETY: a shared reference gives access to nothing.
unsafe impl Sync for Entry {}

impl Entry {
    /// Creates the file.
    ///
    /// Context: process context; it may sleep.
    ///
    /// # Safety
    ///
    /// The functions in `ops` must be callable with `data` as the entry's data until the entry is
    /// dropped.
    pub(super) unsafe fn new(
        options: Options,
        ops: &'static ProcOps,
        data: *mut c_void,
    ) -> Result<Self> {
        options.check()?;
        // SAFETY: `koru_proc_create` takes a name of the kind that was just checked, as a C string,
        // which it copies; operations that stay, which a static does; and the `data` for them, by
        // this function's contract. It may sleep, and so may the caller.
        let entry = unsafe {
            bindings::koru_proc_create(
                options.name.as_ptr().cast(),
                u32::from(options.mode.bits()),
                ops.as_ptr(),
                data,
            )
        };
        // INVARIANT: `koru_proc_create` returned the entry, which only the drop of this value
        // removes.
        Ok(Self {
            ptr: NonNull::new(from_err_ptr(entry)?).ok_or(EINVAL)?,
            name: options.name,
            _live: Live::new(Kind::ProcFile),
        })
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant `koru_proc_create` made the entry, and it is removed only
        // here. The function may sleep, and waits for running calls. The name, for its message, is
        // a C string that stays.
        unsafe { bindings::koru_proc_remove(self.ptr.as_ptr(), self.name.as_ptr().cast()) }
    }
}
