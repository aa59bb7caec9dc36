// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kernel log: shown, decoded, compared.

pub mod debug_info;
pub mod diff;
pub mod oops;
pub mod view;
