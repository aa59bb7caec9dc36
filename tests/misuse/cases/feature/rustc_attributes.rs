// SPDX-License-Identifier: MIT OR Apache-2.0

//! Nor for attributes of the compiler's own.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(misuse, feature(rustc_attrs))] //~ E0725

#[cfg_attr(misuse, rustc_std_internal_symbol)] //~ E0658
pub extern "C" fn koru_mutex_lock(_: usize) {}
