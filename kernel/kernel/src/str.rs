// SPDX-License-Identifier: GPL-2.0-only

//! Strings: C strings, and bytes that are mostly text.

mod array_string;
mod bytes;
mod macros;
mod parse;

pub(crate) use array_string::decimal;
pub use array_string::ArrayString;
pub(crate) use bytes::escape_bytes;
pub use bytes::BStr;
pub use core::ffi::CStr;
pub use parse::{kstrtobool, kstrtobool_bytes, parse_int};

#[doc(inline)]
pub use crate::{b_str, c_str};

use crate::alloc::{flags::GFP_KERNEL, AllocError, Flags, KVec};
use crate::error::{code::EINVAL, Error, Result};
use core::fmt::{self, Write};
use core::ops::Deref;

/// The methods of a [`CStr`] that core lacks.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// let name: &CStr = c"hello";
/// let ptr: *const c_char = name.as_char_ptr();
/// # let _ = ptr;
/// ```
pub trait CStrExt {
    /// Wraps a C string.
    ///
    /// # Safety
    ///
    /// `ptr` must be that of a NUL-terminated string that does not change during `'a`.
    unsafe fn from_char_ptr<'a>(ptr: *const crate::ffi::c_char) -> &'a Self;

    /// Returns the address of the string, with the kernel's type.
    fn as_char_ptr(&self) -> *const crate::ffi::c_char;

    /// Allocates a copy of the string.
    fn to_cstring(&self) -> Result<CString, AllocError>;
}

impl CStrExt for CStr {
    #[inline]
    unsafe fn from_char_ptr<'a>(ptr: *const crate::ffi::c_char) -> &'a Self {
        // SAFETY: `CStr::from_ptr` takes a string that ends in NUL and does not change during `'a`,
        // which this is by the trait's contract. The kernel's `char` has one byte, as that of
        // `core`.
        unsafe { CStr::from_ptr(ptr.cast()) }
    }

    #[inline]
    fn as_char_ptr(&self) -> *const crate::ffi::c_char {
        self.as_ptr().cast()
    }

    fn to_cstring(&self) -> Result<CString, AllocError> {
        let mut buf = KVec::new();
        buf.extend_from_slice(self.to_bytes_with_nul(), GFP_KERNEL)?;
        Ok(CString { buf })
    }
}

/// A C string in an allocation of its own.
///
/// # Invariants
///
/// The only NUL is the last byte.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, str::CString};
/// fn name(n: u32) -> Result<CString> {
///     CString::try_from_fmt(fmt!("unit{n}"))
/// }
/// ```
pub struct CString {
    buf: KVec<u8>,
}

struct Counter(usize);

impl Write for Counter {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.0 = self.0.checked_add(s.len()).ok_or(fmt::Error)?;
        Ok(())
    }
}

struct Within<'a>(&'a mut KVec<u8>);

impl Write for Within<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        for byte in s.bytes() {
            self.0.push_within_capacity(byte).map_err(|_| fmt::Error)?;
        }
        Ok(())
    }
}

impl CString {
    /// Allocates a string, and formats into it.
    ///
    /// Context: process context; it may sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is no memory; `EINVAL` if the text contains a NUL, or an argument does not
    /// format to the same text twice.
    pub fn try_from_fmt(args: fmt::Arguments<'_>) -> Result<Self, Error> {
        Self::with_flags(args, GFP_KERNEL)
    }

    fn with_flags(args: fmt::Arguments<'_>, flags: Flags) -> Result<Self, Error> {
        let mut count = Counter(1);
        count.write_fmt(args)?;
        let mut buf = KVec::with_capacity(count.0, flags)?;
        Within(&mut buf).write_fmt(args)?;
        if buf.contains(&0) {
            return Err(EINVAL);
        }
        buf.push(0, flags)?;
        // INVARIANT: the text contains no NUL, and the last byte is one.
        Ok(Self { buf })
    }
}

impl Deref for CString {
    type Target = CStr;
    #[inline]
    fn deref(&self) -> &CStr {
        // SAFETY: by the type's invariant the bytes end in NUL, and contain no other.
        unsafe { CStr::from_bytes_with_nul_unchecked(&self.buf) }
    }
}

impl fmt::Debug for CString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// A writer that formats into an existing buffer, without allocating.
///
/// A piece of text that does not fit is an error, and nothing of it is written.
///
/// # Examples
///
/// ```
/// use kernel::{fmt::Write, prelude::*, str::Formatter};
/// fn hex(buffer: &mut [u8; 16], n: u64) -> Result<usize> {
///     let mut text = Formatter::new(buffer);
///     write!(text, "{n:x}")?;
///     Ok(text.bytes_written())
/// }
/// ```
pub struct Formatter<'a> {
    buffer: &'a mut [u8],
    written: usize,
}

impl<'a> Formatter<'a> {
    /// Creates a writer that starts at the beginning of the buffer.
    #[inline]
    pub fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, written: 0 }
    }

    /// Returns the length of the text written so far, in bytes.
    #[inline]
    pub fn bytes_written(&self) -> usize {
        self.written
    }

    /// Returns the text written so far.
    ///
    /// (This one is not upstream's.)
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.buffer.get(..self.written).unwrap_or_default()
    }
}

impl Write for Formatter<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let free = self.buffer.get_mut(self.written..).unwrap_or_default();
        let free = free.get_mut(..s.len()).ok_or(fmt::Error)?;
        free.copy_from_slice(s.as_bytes());
        self.written += s.len();
        Ok(())
    }
}
