// SPDX-License-Identifier: MIT OR Apache-2.0

//! What has no text cannot be formatted.
#![no_std]
#![forbid(unsafe_code)]

use kernel::{prelude::*, str::CString};

#[cfg_attr(not(misuse), derive(Debug))]
pub struct Silent;

pub fn name(silent: &Silent) -> Result<CString> {
    CString::try_from_fmt(fmt!("{silent:?}")) //~ E0277
}
