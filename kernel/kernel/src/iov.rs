// SPDX-License-Identifier: GPL-2.0-only

//! The user's buffers of a read or write.
//!
//! `read` and `write` have one buffer, `readv` and `writev` several: an iterator goes through all
//! of them, and advances by what was copied. Nothing here trusts an address. Copying may sleep,
//! because a page may have to be read in.
//!
//! User space chooses the length, up to 2 GiB: do not allocate that much just because it says so.
//!
//! C header: `include/linux/uio.h`

use crate::alloc::{Allocator, Flags, Vec};
use crate::bindings;
use crate::error::code::{EFAULT, EINVAL};
use crate::error::Result;
use crate::fs::file::Offset;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

/// A `struct iov_iter`, for both directions.
///
/// # Invariants
///
/// The pointer is that of a valid iterator over user or kernel memory, which nobody else uses
/// during `'data`.
struct IovIter<'data> {
    iov: NonNull<bindings::iov_iter>,
    _data: PhantomData<&'data mut [u8]>,
}

impl IovIter<'_> {
    /// Wraps a `struct iov_iter *`.
    ///
    /// # Safety
    ///
    /// `iov` must be a valid iterator over user or kernel memory, which nobody else uses during
    /// `'data`.
    #[inline]
    unsafe fn from_raw(iov: *mut bindings::iov_iter) -> Self {
        Self {
            // INVARIANT: this function's contract is the type's invariant.
            // SAFETY: by this function's contract the pointer is valid, so it is not null.
            iov: unsafe { NonNull::new_unchecked(iov) },
            _data: PhantomData,
        }
    }

    #[inline]
    fn len(&self) -> usize {
        // SAFETY: the function reads the count of a valid iterator, which this is by the type's
        // invariant.
        unsafe { bindings::koru_iov_len(self.iov.as_ptr()) }
    }

    #[inline]
    fn advance(&mut self, bytes: usize) {
        // SAFETY: `iov_iter_advance()` takes a valid iterator, which this is by the type's
        // invariant, and stops at its end.
        unsafe { bindings::koru_iov_advance(self.iov.as_ptr(), bytes) }
    }

    /// Moves the iterator back.
    ///
    /// # Safety
    ///
    /// The iterator must have been advanced by at least `bytes`.
    #[inline]
    unsafe fn revert(&mut self, bytes: usize) {
        // SAFETY: `iov_iter_revert()` takes a valid iterator, which this is by the type's
        // invariant. It does not check for the start of the iterator, which is not reached, because
        // by this function's contract it was advanced by as much.
        unsafe { bindings::koru_iov_revert(self.iov.as_ptr(), bytes) }
    }

    /// Returns an error and moves the iterator back if fewer than the `wanted` bytes were copied.
    #[inline]
    fn require_all(&mut self, copied: usize, wanted: usize) -> Result {
        if copied == wanted {
            return Ok(());
        }
        // SAFETY: the caller has just copied `copied` bytes, which advanced the iterator by as
        // much.
        unsafe { self.revert(copied) };
        Err(EFAULT)
    }
}

macro_rules! common {
    ($name:ident) => {
        /// Wraps a `struct iov_iter *`.
        ///
        /// # Safety
        ///
        /// `iov` must be a valid iterator of the type's direction, which nobody else uses during
        /// `'data`.
        #[inline]
        pub unsafe fn from_raw(iov: *mut bindings::iov_iter) -> $name<'data> {
            // SAFETY: the requirements of `IovIter::from_raw` are this function's own: the iterator
            // is valid, and nobody else uses it during `'data`.
            Self(unsafe { IovIter::from_raw(iov) })
        }

        /// Returns the `struct iov_iter *`.
        #[inline]
        pub fn as_raw(&self) -> *mut bindings::iov_iter {
            self.0.iov.as_ptr()
        }

        /// Returns the number of bytes that are left.
        #[inline]
        pub fn len(&self) -> usize {
            self.0.len()
        }

        /// Returns whether no bytes are left.
        #[inline]
        pub fn is_empty(&self) -> bool {
            self.len() == 0
        }

        /// Skips `bytes`, or all that are left if those are fewer.
        #[inline]
        pub fn advance(&mut self, bytes: usize) {
            self.0.advance(bytes);
        }

        /// Moves the iterator back by `bytes`.
        ///
        /// # Safety
        ///
        /// The iterator must have been advanced by at least `bytes`.
        #[inline]
        pub unsafe fn revert(&mut self, bytes: usize) {
            // SAFETY: by this function's contract the iterator was advanced by at least `bytes`.
            unsafe { self.0.revert(bytes) }
        }
    };
}

/// The source of the bytes of a `write`.
///
/// # Examples
///
/// ```
/// use kernel::{iov::IovIterSource, prelude::*};
/// fn append(text: &mut KVec<u8>, iov: &mut IovIterSource<'_>) -> Result<usize> {
///     if iov.len() > 100 {
///         return Err(EMSGSIZE);
///     }
///     iov.copy_from_iter_vec(text, GFP_KERNEL)
/// }
/// ```
pub struct IovIterSource<'data>(IovIter<'data>);

impl<'data> IovIterSource<'data> {
    common!(IovIterSource);

    /// Reads into `out`, and returns the number of bytes read.
    ///
    /// They are fewer than `out` has at the end of the buffers, or where a byte cannot be read.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    #[inline]
    pub fn copy_from_iter(&mut self, out: &mut [u8]) -> usize {
        // SAFETY: both types have the same layout, and `copy_from_iter_raw` writes only initialised
        // bytes, so `out` stays valid.
        let out = unsafe { &mut *(core::ptr::from_mut(out) as *mut [MaybeUninit<u8>]) };
        self.copy_from_iter_raw(out).len()
    }

    /// Reads into `out` as [`Self::copy_from_iter`] does, and returns the part of it that was
    /// written.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    #[inline]
    pub fn copy_from_iter_raw<'out>(&mut self, out: &'out mut [MaybeUninit<u8>]) -> &'out mut [u8] {
        let to = out.as_mut_ptr();
        // SAFETY: `copy_from_iter()` takes a valid iterator to read from, which this is by the
        // type's invariant, and memory that is valid for writes of the length, as `out` is.
        let copied = unsafe { bindings::koru_copy_from_iter(to.cast(), out.len(), self.as_raw()) };
        // SAFETY: the function returns how many bytes it wrote from the start of `out`, which is
        // borrowed as long as the result.
        unsafe { core::slice::from_raw_parts_mut(to.cast(), copied) }
    }

    /// Fills `out`, or consumes nothing.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EFAULT` if fewer bytes are left or one cannot be read. `out` may then be written in part.
    pub fn copy_from_iter_full(&mut self, out: &mut [u8]) -> Result {
        let copied = self.copy_from_iter(out);
        self.0.require_all(copied, out.len())
    }

    /// Appends all that is left to `out`, up to a byte that cannot be read; returns the number of
    /// bytes appended.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EFAULT` if not even the first byte can be read, `ENOMEM` if there is no memory. `out` is
    /// unchanged then.
    pub fn copy_from_iter_vec<A: Allocator>(
        &mut self,
        out: &mut Vec<u8, A>,
        flags: Flags,
    ) -> Result<usize> {
        let (wanted, old) = (self.len(), out.len());
        match out.capacity() {
            0 => *out = Vec::with_capacity(wanted, flags)?,
            _ => out.reserve(wanted, flags)?,
        }
        // SAFETY: there is now space for `wanted` bytes after the old ones.
        let spare = unsafe {
            core::slice::from_raw_parts_mut(
                out.as_mut_ptr().add(old).cast::<MaybeUninit<u8>>(),
                wanted,
            )
        };
        let copied = self.copy_from_iter_raw(spare).len();
        if copied == 0 && wanted != 0 {
            return Err(EFAULT);
        }
        // SAFETY: the first `copied` bytes after the old ones were just written, within the
        // capacity.
        unsafe { out.set_len(old + copied) };
        Ok(copied)
    }
}

/// The destination of the bytes of a `read`.
///
/// # Examples
///
/// ```
/// use kernel::{iov::IovIterDest, prelude::*};
/// fn zeros(iov: &mut IovIterDest<'_>) -> Result<usize> {
///     let len = iov.len().min(16);
///     iov.copy_to_iter_full(&[0; 16][..len])?;
///     Ok(len)
/// }
/// ```
pub struct IovIterDest<'data>(IovIter<'data>);

impl<'data> IovIterDest<'data> {
    common!(IovIterDest);

    /// Writes `input`, and returns the number of bytes written.
    ///
    /// They are fewer than `input` has at the end of the buffers, or where a byte cannot be
    /// written.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    #[inline]
    pub fn copy_to_iter(&mut self, input: &[u8]) -> usize {
        // SAFETY: `copy_to_iter()` takes a valid iterator to write to, which this is by the type's
        // invariant, and memory that is valid for reads of the length, as `input` is.
        unsafe { bindings::koru_copy_to_iter(input.as_ptr().cast(), input.len(), self.as_raw()) }
    }

    /// Writes all of `input`, or does not advance.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EFAULT` if the buffers are too small, or a byte cannot be written. They may then be written
    /// in part.
    #[inline]
    pub fn copy_to_iter_full(&mut self, input: &[u8]) -> Result {
        let copied = self.copy_to_iter(input);
        self.0.require_all(copied, input.len())
    }

    /// Writes all of the slices, one after the other, if that is possible without waiting for a
    /// page; otherwise it does not advance.
    ///
    /// This may be done while a mutex is held for which nobody should wait long. If it fails, the
    /// caller should release that, and write a copy by [`Self::copy_to_iter_full`]. (This is not
    /// upstream's.)
    ///
    /// Context: process context.
    ///
    /// # Errors
    ///
    /// `EFAULT` if the buffers are too small, or a byte cannot be written at once. They may then be
    /// written in part.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{iov::IovIterDest, prelude::*, sync::Mutex};
    /// fn read(text: &Mutex<KVec<u8>>, iov: &mut IovIterDest<'_>) -> Result {
    ///     if iov.copy_slices_to_iter_nofault(&[&text.lock()]).is_ok() {
    ///         return Ok(());
    ///     }
    ///     let mut copy = KVec::new();
    ///     copy.extend_from_slice(&text.lock(), GFP_KERNEL)?;
    ///     iov.copy_to_iter_full(&copy)
    /// }
    /// ```
    #[inline]
    pub fn copy_slices_to_iter_nofault(&mut self, slices: &[&[u8]]) -> Result {
        let mut total = 0;
        for slice in slices.iter().filter(|slice| !slice.is_empty()) {
            // SAFETY: `copy_to_iter()` takes a valid iterator to write to, which this is by the
            // type's invariant, and memory that is valid for reads of the length, as `slice` is.
            let copied = unsafe {
                let from = slice.as_ptr().cast();
                bindings::koru_copy_to_iter_nofault(from, slice.len(), self.as_raw())
            };
            total += copied;
            if copied != slice.len() {
                // SAFETY: the calls of this loop have advanced the iterator by as much as they
                // copied, which is `total`.
                unsafe { self.0.revert(total) };
                return Err(EFAULT);
            }
        }
        Ok(())
    }

    /// Writes `contents` from `ppos` on, as much as both sides allow, and advances `ppos`.
    ///
    /// This is what a `read` of a file with this content does. Returns the number of bytes written,
    /// which is 0 at the end and after it.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the position is negative, `EFAULT` if not even the first byte can be written;
    /// `ppos` is unchanged then.
    pub fn simple_read_from_buffer(&mut self, ppos: &mut Offset, contents: &[u8]) -> Result<usize> {
        let start = usize::try_from(*ppos).map_err(|_| EINVAL)?;
        let contents = contents.get(start..).unwrap_or_default();
        let wanted = contents.len().min(self.len());
        let copied = self.copy_to_iter(contents);
        if copied == 0 && wanted != 0 {
            return Err(EFAULT);
        }
        // Not more than `contents` is long, which fits.
        *ppos += copied as Offset;
        Ok(copied)
    }
}
