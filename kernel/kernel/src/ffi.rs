// SPDX-License-Identifier: GPL-2.0-only

//! C types as the kernel defines them.
//!
//! `char` is unsigned, and `long` is as wide as a pointer, on every architecture, so the Rust types
//! for both need no conversion.
//!
//! # Examples
//!
//! ```
//! use kernel::ffi::{c_long, c_ulong};
//! let ret: c_long = -14_isize;
//! let len: c_ulong = 4_usize;
//! # let _ = (ret, len);
//! ```

#![allow(non_camel_case_types, reason = "the types have C's names")]

/// `char`, which the kernel builds as unsigned.
pub type c_char = u8;
/// `signed char`.
pub type c_schar = i8;
/// `unsigned char`.
pub type c_uchar = u8;
/// `short`.
pub type c_short = i16;
/// `unsigned short`.
pub type c_ushort = u16;
/// `int`.
pub type c_int = i32;
/// `unsigned int`.
pub type c_uint = u32;
/// `long`.
pub type c_long = isize;
/// `unsigned long`.
pub type c_ulong = usize;
/// `long long`.
pub type c_longlong = i64;
/// `unsigned long long`.
pub type c_ulonglong = u64;
/// The target type of a `void *`.
pub use core::ffi::c_void;
