// SPDX-License-Identifier: GPL-2.0-only

//! Types whose values are plain bytes.
//!
//! What a module exchanges with user space has these traits. A type gets them by the derive macros
//! of `zerocopy`, which check what they promise: [`FromBytes`](trait@FromBytes) by
//! `#[derive(FromBytes, Immutable)]` and [`AsBytes`] by `#[derive(IntoBytes, Immutable)]`. A module
//! that allows unsafe code can also promise them itself, by `unsafe impl`.
//!
//! # Examples
//!
//! ```
//! use kernel::{prelude::*, transmute::{AsBytes, FromBytes}, uaccess::UserSlice};
//!
//! #[repr(C)]
//! struct Limits {
//!     least: u32,
//!     most: u32,
//! }
//!
//! // SAFETY: any bytes are valid for two integers.
//! unsafe impl FromBytes for Limits {}
//! // SAFETY: there is no padding between two integers of one type.
//! unsafe impl AsBytes for Limits {}
//!
//! fn widen(arg: UserPtr) -> Result {
//!     let (mut from, mut to) = UserSlice::new(arg, size_of::<Limits>()).reader_writer();
//!     let mut limits: Limits = from.read()?;
//!     limits.most += 1;
//!     to.write(&limits)
//! }
//! ```

/// A type for which any bytes are a valid value.
///
/// Arrays and slices have it by `zerocopy`: those of types that only implement this trait do not.
///
/// # Safety
///
/// Any bytes must be a valid value. The type must have no interior mutability.
///
/// # Examples
///
/// ```
/// use kernel::transmute::FromBytes;
/// fn first_word(bytes: &[u8]) -> Option<u32> {
///     Some(u32::from_bytes_copy_prefix(bytes)?.0)
/// }
/// ```
pub unsafe trait FromBytes {
    /// Borrows bytes as a value.
    ///
    /// It returns `None` if the size is not that of the type, or the address is not aligned.
    fn from_bytes(bytes: &[u8]) -> Option<&Self>
    where
        Self: Sized,
    {
        match Self::from_bytes_prefix(bytes)? {
            (value, []) => Some(value),
            _ => None,
        }
    }

    /// Borrows the first bytes as a value, and returns the others as well.
    ///
    /// It returns `None` if there are too few bytes, or the address is not aligned.
    fn from_bytes_prefix(bytes: &[u8]) -> Option<(&Self, &[u8])>
    where
        Self: Sized,
    {
        let (first, others) = bytes.split_at_checked(size_of::<Self>())?;
        let value = first.as_ptr().cast::<Self>();
        // SAFETY: the pointer is aligned, as was checked, and that of as many initialised bytes as
        // the type has, borrowed as long as the result. By this trait's contract any bytes are a
        // valid value, which cannot be changed by a shared reference.
        value.is_aligned().then(|| (unsafe { &*value }, others))
    }

    /// Borrows bytes mutably as a value.
    ///
    /// It returns `None` if the size is not that of the type, or the address is not aligned.
    fn from_bytes_mut(bytes: &mut [u8]) -> Option<&mut Self>
    where
        Self: AsBytes + Sized,
    {
        match Self::from_bytes_mut_prefix(bytes)? {
            (value, []) => Some(value),
            _ => None,
        }
    }

    /// Borrows the first bytes mutably as a value, and returns the others as well.
    ///
    /// It returns `None` if there are too few bytes, or the address is not aligned.
    fn from_bytes_mut_prefix(bytes: &mut [u8]) -> Option<(&mut Self, &mut [u8])>
    where
        Self: AsBytes + Sized,
    {
        let (first, others) = bytes.split_at_mut_checked(size_of::<Self>())?;
        let value = first.as_mut_ptr().cast::<Self>();
        // SAFETY: the pointer is aligned, as was checked, and that of as many initialised bytes as
        // the type has, borrowed mutably as long as the result. By this trait's contract any bytes
        // are a valid value, and by that of `AsBytes` any value leaves them initialised.
        value.is_aligned().then(|| (unsafe { &mut *value }, others))
    }

    /// Copies a value out of bytes, which need no alignment.
    ///
    /// It returns `None` if the size is not that of the type.
    fn from_bytes_copy(bytes: &[u8]) -> Option<Self>
    where
        Self: Sized,
    {
        match Self::from_bytes_copy_prefix(bytes)? {
            (value, []) => Some(value),
            _ => None,
        }
    }

    /// Copies a value out of the first bytes, and returns the others as well.
    ///
    /// It returns `None` if there are too few bytes.
    fn from_bytes_copy_prefix(bytes: &[u8]) -> Option<(Self, &[u8])>
    where
        Self: Sized,
    {
        let (first, others) = bytes.split_at_checked(size_of::<Self>())?;
        // SAFETY: the pointer is that of as many initialised bytes as the type has, and any bytes
        // are a valid value by this trait's contract. The read needs no alignment.
        let value = unsafe { first.as_ptr().cast::<Self>().read_unaligned() };
        Some((value, others))
    }
}

// SAFETY: `zerocopy` checks that any bytes are a valid value, and that there is no interior
// mutability.
unsafe impl<T: zerocopy::FromBytes + zerocopy::Immutable + ?Sized> FromBytes for T {}

/// A type whose values have no byte that is uninitialised.
///
/// A value with padding could reveal what was in the memory before.
///
/// Arrays and slices have it by `zerocopy`: those of types that only implement this trait do not.
///
/// # Safety
///
/// No value may have uninitialised bytes, such as padding. The type must have no interior
/// mutability.
///
/// # Examples
///
/// ```
/// use kernel::transmute::AsBytes;
/// fn checksum<T: AsBytes>(value: &T) -> u8 {
///     value.as_bytes().iter().fold(0, |sum, byte| sum ^ byte)
/// }
/// ```
pub unsafe trait AsBytes {
    /// Borrows the bytes of the value.
    fn as_bytes(&self) -> &[u8] {
        // SAFETY: the pointer is that of the value, which is borrowed as long as the result. By
        // this trait's contract all of its bytes are initialised, and none changes meanwhile.
        unsafe { core::slice::from_raw_parts(core::ptr::from_ref(self).cast(), size_of_val(self)) }
    }

    /// Borrows the bytes of the value mutably.
    fn as_bytes_mut(&mut self) -> &mut [u8]
    where
        Self: FromBytes,
    {
        let size = size_of_val(self);
        // SAFETY: the pointer is that of the value, which is borrowed mutably as long as the
        // result. By this trait's contract all of its bytes are initialised, and by that of
        // `FromBytes` the value stays valid whatever is written.
        unsafe { core::slice::from_raw_parts_mut(core::ptr::from_mut(self).cast(), size) }
    }
}

// SAFETY: `zerocopy` checks that no byte of a value is uninitialised, and that there is no interior
// mutability.
unsafe impl<T: zerocopy::IntoBytes + zerocopy::Immutable + ?Sized> AsBytes for T {}
