// SPDX-License-Identifier: GPL-2.0-only

//! The caller's buffers of one read or write.
//!
//! `read` and `write` have one buffer, `readv` and `writev` several: an iterator
//! goes through all of them, and moves on by what was copied. Nothing here
//! trusts an address. All of it may sleep: a page may have to be read in.
//!
//! How much is left is the caller's doing, up to 2 GiB: do not allocate that
//! much because it says so.
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

/// A `struct iov_iter`: what both directions have in common.
///
/// # Invariants
///
/// The pointer is that of a valid iterator over user or kernel memory, which
/// nobody else uses for `'data`.
struct IovIter<'data> {
    iov: NonNull<bindings::iov_iter>,
    _data: PhantomData<&'data mut [u8]>,
}

impl IovIter<'_> {
    /// # Safety
    ///
    /// The type's invariants hold.
    unsafe fn from_raw(iov: *mut bindings::iov_iter) -> Self {
        Self {
            // SAFETY: by the type's invariants, which the caller promises, it is that of a
            // `struct iov_iter`, so not null.
            iov: unsafe { NonNull::new_unchecked(iov) },
            _data: PhantomData,
        }
    }

    #[inline]
    fn len(&self) -> usize {
        // SAFETY: the function reads the count of a valid iterator, as this one is by the
        // invariants.
        unsafe { bindings::koru_iov_len(self.iov.as_ptr()) }
    }

    #[inline]
    fn advance(&mut self, bytes: usize) {
        // SAFETY: `iov_iter_advance()` wants a valid iterator, as this one is by the
        // invariants, and stops at its end.
        unsafe { bindings::koru_iov_advance(self.iov.as_ptr(), bytes) }
    }

    /// # Safety
    ///
    /// The iterator was moved on by at least `bytes`.
    #[inline]
    unsafe fn revert(&mut self, bytes: usize) {
        // SAFETY: `iov_iter_revert()` wants a valid iterator, as this one is by the
        // invariants, and does not check for its start: it is not reached, for the caller
        // promises that it was moved on by as much.
        unsafe { bindings::koru_iov_revert(self.iov.as_ptr(), bytes) }
    }

    /// Says what `copied` of `wanted` bytes is: all, or nothing.
    fn whole(&mut self, copied: usize, wanted: usize) -> Result {
        if copied == wanted {
            return Ok(());
        }
        // SAFETY: the caller has just copied `copied` bytes, which moved it on by as much.
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
        /// It is valid for `'data`, nobody else uses it meanwhile, and its
        /// direction is that of the type.
        #[inline]
        pub unsafe fn from_raw(iov: *mut bindings::iov_iter) -> $name<'data> {
            // SAFETY: the invariants are that the iterator is valid, and nobody else's for
            // `'data`: both are promised by the caller.
            Self(unsafe { IovIter::from_raw(iov) })
        }

        /// The `struct iov_iter *`.
        #[inline]
        pub fn as_raw(&self) -> *mut bindings::iov_iter {
            self.0.iov.as_ptr()
        }

        /// How many bytes are left.
        #[inline]
        pub fn len(&self) -> usize {
            self.0.len()
        }

        /// Whether none are.
        #[inline]
        pub fn is_empty(&self) -> bool {
            self.len() == 0
        }

        /// Passes by `bytes`, or what is left if that is less.
        #[inline]
        pub fn advance(&mut self, bytes: usize) {
            self.0.advance(bytes);
        }

        /// Goes back by `bytes`.
        ///
        /// # Safety
        ///
        /// Not to before where it started: it was moved on by as much.
        #[inline]
        pub unsafe fn revert(&mut self, bytes: usize) {
            // SAFETY: it was moved on by at least `bytes`, as the caller promises.
            unsafe { self.0.revert(bytes) }
        }
    };
}

/// Where the bytes of a `write` come from.
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

    /// Reads into `out`. Returns how many bytes there were: fewer than `out` has
    /// room for at the end, or where one cannot be read.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    pub fn copy_from_iter(&mut self, out: &mut [u8]) -> usize {
        // SAFETY: both types have one layout, and `copy_from_iter_raw` writes initialised
        // bytes only, so that `out` stays valid as bytes.
        let out = unsafe { &mut *(core::ptr::from_mut(out) as *mut [MaybeUninit<u8>]) };
        self.copy_from_iter_raw(out).len()
    }

    /// As [`Self::copy_from_iter`]; returns the part of `out` that was written.
    pub fn copy_from_iter_raw<'out>(&mut self, out: &'out mut [MaybeUninit<u8>]) -> &'out mut [u8] {
        let to = out.as_mut_ptr();
        // SAFETY: `copy_from_iter()` wants a valid iterator to read from, as this one is by
        // the invariants, and memory that is valid for writes of the length, as `out` is.
        let copied = unsafe { bindings::koru_copy_from_iter(to.cast(), out.len(), self.as_raw()) };
        // SAFETY: the function returns how many bytes it wrote, from the start of `out`,
        // which is borrowed for as long as the result.
        unsafe { core::slice::from_raw_parts_mut(to.cast(), copied) }
    }

    /// Fills `out`, or consumes nothing.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EFAULT` if not as many bytes are left or one cannot be read. `out` may
    /// then be written in part.
    pub fn copy_from_iter_full(&mut self, out: &mut [u8]) -> Result {
        let copied = self.copy_from_iter(out);
        self.0.whole(copied, out.len())
    }

    /// Appends all that is left to `out`. Returns how many bytes that were; it
    /// stops where one cannot be read.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EFAULT` if not even the first can be read, `ENOMEM`. `out` is then what
    /// it was.
    pub fn copy_from_iter_vec<A: Allocator>(
        &mut self,
        out: &mut Vec<u8, A>,
        flags: Flags,
    ) -> Result<usize> {
        let (wanted, old) = (self.len(), out.len());
        out.reserve(wanted, flags)?;
        // SAFETY: there is room for `wanted` bytes behind the old ones.
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
        // SAFETY: the first `copied` bytes behind the old ones were just written, within the
        // capacity.
        unsafe { out.set_len(old + copied) };
        Ok(copied)
    }
}

/// Where the bytes of a `read` go to.
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

    /// Writes `input`. Returns how many bytes of it: fewer at the end of the
    /// buffers, or where one cannot be written.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    #[inline]
    pub fn copy_to_iter(&mut self, input: &[u8]) -> usize {
        // SAFETY: `copy_to_iter()` wants a valid iterator to write to, as this one is by the
        // invariants, and memory that is valid for reads of the length, as `input` is.
        unsafe { bindings::koru_copy_to_iter(input.as_ptr().cast(), input.len(), self.as_raw()) }
    }

    /// Writes all of `input`, or moves on by nothing.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EFAULT` if there is not as much room, or a byte cannot be written. The
    /// buffers may then be written in part.
    pub fn copy_to_iter_full(&mut self, input: &[u8]) -> Result {
        let copied = self.copy_to_iter(input);
        self.0.whole(copied, input.len())
    }

    /// Writes `contents` from `ppos` on, as much as there is on both sides, and
    /// moves `ppos`: what a `read` of a file with this content does. Returns how
    /// many bytes that were, 0 at the end and behind it.
    ///
    /// Context: process context; it may sleep, for a page may have to be read in.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a negative position, `EFAULT` if not even the first byte can
    /// be written; `ppos` is then unchanged.
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
