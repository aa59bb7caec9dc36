// SPDX-License-Identifier: MIT OR Apache-2.0

//! System calls with good and bad pointers: how they are written, and how they are made.
#![deny(unsafe_code)]

pub mod bytes;
pub mod calls;
pub mod message;
pub mod raw;
