// SPDX-License-Identifier: MIT OR Apache-2.0

//! The identity of a process, which here is a number.

/// The identity of a process.
#[derive(PartialEq, Eq)]
pub struct Pid(pub(crate) u32);

impl Pid {
    pub fn nr(&self) -> i32 {
        self.0 as i32
    }
}
