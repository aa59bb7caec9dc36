// SPDX-License-Identifier: MIT OR Apache-2.0

//! Shows, decodes and compares the kernel log.

pub mod baseline;
pub mod debug_info;
pub mod diff;
pub mod oops;
pub mod view;
