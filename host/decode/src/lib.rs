// SPDX-License-Identifier: MIT OR Apache-2.0

//! Oopses in a kernel log, told by source lines.
//!
//! [`Finder`](koru_klog::Finder) finds the kernel's reports in a log, line by line;
//! [`Decoder`] makes of a [`Report`](koru_klog::Report) what a reader wants to know, with
//! the debug info of the modules.
#![forbid(unsafe_code)]

mod decoded;
mod sources;
mod summary;
mod symbols;
mod text;

pub use decoded::{DebugInfoLookup, Decoded, DecodedFrame, Decoder, Place};
pub use sources::Sources;
pub use symbols::{DebugInfoError, Location, Symbols, build_id};
pub use text::Style;
