// SPDX-License-Identifier: MIT OR Apache-2.0

//! The identity of a process, which here is a number.

/// The identity of a process.
#[derive(PartialEq, Eq)]
pub struct Pid(pub(crate) u32);
