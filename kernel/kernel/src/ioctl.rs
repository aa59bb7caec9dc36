// SPDX-License-Identifier: GPL-2.0-only

//! The numbers of `ioctl` commands.
//!
//! A number contains the direction of the argument, its size, the driver that the command belongs
//! to (its "type", often a letter), and the number of the command within that. C programs create
//! the same numbers by macros of the same names.
//!
//! C header: `include/uapi/asm-generic/ioctl.h`
//!
//! Reference: <https://docs.kernel.org/driver-api/ioctl.html>
//!
//! # Examples
//!
//! ```
//! use kernel::ioctl::{_IO, _IOC_SIZE, _IOR};
//!
//! const RESET: u32 = _IO('k' as u32, 0);
//! const COUNT: u32 = _IOR::<u64>('k' as u32, 1);
//!
//! kernel::static_assert!(RESET == 0x6b00);
//! kernel::static_assert!(_IOC_SIZE(COUNT) == size_of::<u64>());
//! ```

#![allow(non_snake_case, reason = "the functions have the names of C's macros")]

use crate::build_assert;

const NRBITS: u32 = 8;
const TYPEBITS: u32 = 8;
const SIZEBITS: u32 = 14;
const DIRBITS: u32 = 2;

const TYPESHIFT: u32 = NRBITS;
const SIZESHIFT: u32 = TYPESHIFT + TYPEBITS;
const DIRSHIFT: u32 = SIZESHIFT + SIZEBITS;

/// The [`_IOC_DIR`] of a command without data.
pub const _IOC_NONE: u32 = 0;
/// The bit of [`_IOC_DIR`] for data that user space passes.
pub const _IOC_WRITE: u32 = 1;
/// The bit of [`_IOC_DIR`] for data that user space receives.
pub const _IOC_READ: u32 = 2;

const fn mask(bits: u32) -> u32 {
    (1 << bits) - 1
}

#[inline(always)]
const fn _IOC(dir: u32, ty: u32, nr: u32, size: usize) -> u32 {
    build_assert!(dir <= mask(DIRBITS), "the direction has two bits");
    build_assert!(ty <= mask(TYPEBITS), "an ioctl's type is at most 0xff");
    build_assert!(nr <= mask(NRBITS), "an ioctl's number is at most 0xff");
    build_assert!(
        size <= mask(SIZEBITS) as usize,
        "an ioctl's argument is at most 16383 bytes"
    );
    (dir << DIRSHIFT) | ((size as u32) << SIZESHIFT) | (ty << TYPESHIFT) | nr
}

/// Returns the number of a command without data, or whose argument is a plain number.
///
/// # Examples
///
/// ```
/// const RESET: u32 = kernel::ioctl::_IO('k' as u32, 0);
/// # let _ = RESET;
/// ```
#[inline(always)]
pub const fn _IO(ty: u32, nr: u32) -> u32 {
    _IOC(_IOC_NONE, ty, nr, 0)
}

/// Returns the number of a command whose argument points to a `T` that user space receives.
///
/// # Examples
///
/// ```
/// const GET: u32 = kernel::ioctl::_IOR::<i32>('k' as u32, 1);
/// # let _ = GET;
/// ```
#[inline(always)]
pub const fn _IOR<T>(ty: u32, nr: u32) -> u32 {
    _IOC(_IOC_READ, ty, nr, size_of::<T>())
}

/// Returns the number of a command whose argument points to a `T` that user space passes.
///
/// # Examples
///
/// ```
/// const SET: u32 = kernel::ioctl::_IOW::<i32>('k' as u32, 2);
/// # let _ = SET;
/// ```
#[inline(always)]
pub const fn _IOW<T>(ty: u32, nr: u32) -> u32 {
    _IOC(_IOC_WRITE, ty, nr, size_of::<T>())
}

/// Returns the number of a command whose argument points to a `T` that user space passes and
/// receives.
///
/// # Examples
///
/// ```
/// const SWAP: u32 = kernel::ioctl::_IOWR::<i32>('k' as u32, 3);
/// # let _ = SWAP;
/// ```
#[inline(always)]
pub const fn _IOWR<T>(ty: u32, nr: u32) -> u32 {
    _IOC(_IOC_READ | _IOC_WRITE, ty, nr, size_of::<T>())
}

/// Returns the directions of a command's data: [`_IOC_READ`] and [`_IOC_WRITE`].
///
/// # Examples
///
/// ```
/// use kernel::ioctl::{_IOC_DIR, _IOC_READ, _IOR};
/// kernel::static_assert!(_IOC_DIR(_IOR::<i32>(0, 0)) == _IOC_READ);
/// ```
pub const fn _IOC_DIR(nr: u32) -> u32 {
    (nr >> DIRSHIFT) & mask(DIRBITS)
}

/// Returns the type of a command.
///
/// # Examples
///
/// ```
/// use kernel::ioctl::{_IO, _IOC_TYPE};
/// kernel::static_assert!(_IOC_TYPE(_IO(0x6b, 1)) == 0x6b);
/// ```
pub const fn _IOC_TYPE(nr: u32) -> u32 {
    (nr >> TYPESHIFT) & mask(TYPEBITS)
}

/// Returns the number of a command within its type.
///
/// # Examples
///
/// ```
/// use kernel::ioctl::{_IO, _IOC_NR};
/// kernel::static_assert!(_IOC_NR(_IO(0x6b, 1)) == 1);
/// ```
pub const fn _IOC_NR(nr: u32) -> u32 {
    nr & mask(NRBITS)
}

/// Returns the size of a command's data in bytes.
///
/// # Examples
///
/// ```
/// use kernel::ioctl::{_IOC_SIZE, _IOW};
/// kernel::static_assert!(_IOC_SIZE(_IOW::<u64>(0, 0)) == 8);
/// ```
pub const fn _IOC_SIZE(nr: u32) -> usize {
    ((nr >> SIZESHIFT) & mask(SIZEBITS)) as usize
}
